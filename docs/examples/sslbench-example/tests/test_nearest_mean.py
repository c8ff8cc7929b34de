import torch

from sslbench.contract.spec import ProtocolConfig
from sslbench.protocols import PROTOCOLS
from sslbench.testing import ProtocolContract


class TestNearestMean(ProtocolContract):
    names = ("nearest_mean",)


def test_a_class_without_labels_is_never_answered() -> None:
    protocol = PROTOCOLS.get("nearest_mean")(ProtocolConfig())
    known, asked = torch.tensor([[1.0, 1.0], [-1.0, -1.0]]), torch.tensor([[0.1, 0.0], [-3.0, 0.0]])
    answered = protocol.predict(known, torch.tensor([2, 0]), asked, 3, seed=0)
    assert answered.labels.tolist() == [2, 0]
    assert answered.budget_score is None
