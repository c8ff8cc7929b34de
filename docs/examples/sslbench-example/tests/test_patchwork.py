import torch

from sslbench.contract.spec import InputSpec
from sslbench.encoders import ENCODERS
from sslbench.testing import EncoderContract


class TestPatchwork(EncoderContract):
    names = ("patchwork",)


def test_images_of_one_colour_look_alike_at_any_size() -> None:
    encoder = ENCODERS.get("patchwork")(InputSpec("image", (1, 28, 28)), 16)
    small, large = torch.full((1, 1, 28, 28), 0.5), torch.full((1, 1, 40, 32), 0.5)
    torch.testing.assert_close(encoder(small), encoder(large))
