import torch

from sslbench.contract.spec import InputSpec
from sslbench.encoders import ENCODERS
from sslbench.pretexts import PRETEXTS
from sslbench.testing import PretextContract


class TestBlankOut(PretextContract):
    names = ("blank_out",)


def test_the_upper_half_stays_as_it_is() -> None:
    spec, task = InputSpec("image", (1, 28, 28)), PRETEXTS.get("blank_out")
    shown = task(ENCODERS.get("mlp")(spec, 8), task.Config(), spec).blank_out(torch.ones(2, 1, 28, 28))
    assert shown[:, :, :14].min() == 1
    assert shown[:, :, 14:].max() == 0
