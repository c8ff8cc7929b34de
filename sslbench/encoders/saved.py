"""An encoder and what it is, in one safetensors file: made again from it without a line of pickled code.

`torch.save` and `torch.load` take a module to pickle with. This one writes and reads safetensors instead, so that
`mlflow.pytorch.load_model` gives back an encoder although nothing was pickled.
"""

from __future__ import annotations

import json
from typing import IO, Any

from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

from sslbench.contract.identity import canonical
from sslbench.contract.spec import InputSpec, ViewPolicy
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder


def weights(network: nn.Module, metadata: dict[str, str] | None = None) -> bytes:
    """Its weights as a safetensors file: on the processor, in plain memory order."""
    return save_tensors({name: one.detach().cpu().contiguous() for name, one in network.state_dict().items()}, metadata)


def saved(encoder: Encoder, name: str) -> bytes:
    """The weights and all that `loaded` needs to make the encoder again.

    Args:
        name: its name in the registry.
    """
    shape = {"input_spec": canonical(encoder.input_spec), "encoder": name, "latent_dim": encoder.latent_dim}
    return weights(encoder, {"sslbench": json.dumps(shape)})  # one entry: several have no order of their own


def loaded(content: bytes) -> Encoder:
    """The encoder that was `saved`, in evaluation mode."""
    length = int.from_bytes(content[:8], "little")  # of the header, as the format has it
    said = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["sslbench"])
    spec = said["input_spec"]
    views = ViewPolicy(**{**spec["views"], "min_crop_scale": float(spec["views"]["min_crop_scale"])})
    input_spec = InputSpec(spec["modality"], tuple(spec["shape"]), views, spec["vocabulary"])
    encoder = ENCODERS.get(said["encoder"])(input_spec, said["latent_dim"])
    encoder.load_state_dict(load_tensors(content))
    return encoder.eval()


class Pickler:
    """What `torch.save` writes with: the bytes of a `saved` encoder as they are."""

    def __init__(self, file: IO[bytes], protocol: int) -> None:
        self.file = file

    def dump(self, content: bytes) -> None:
        """Write them."""
        self.file.write(content)


class Unpickler:
    """What `torch.load` reads with."""

    def __init__(self, file: IO[bytes], **_: Any) -> None:
        self.file = file

    def load(self) -> Encoder:
        """The encoder."""
        return loaded(self.file.read())
