"""The learned densifier ready to run."""

from __future__ import annotations

import torch

from tests.models.evidence.test_network import network, told
from vsodtool.models.evidence.densifier import EvidenceDensifier


def test_ready_to_run_it_is_the_same_function() -> None:
    evidence = told()
    with torch.no_grad():
        expected = network()(evidence)
    ready = EvidenceDensifier(network(), device=torch.device("cpu"), precision="fp32")
    memories = ready.remember(ready.look(evidence.images), evidence.labels, evidence.known_positions)
    found = ready.decide_together([evidence.frame], [memories])
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)
