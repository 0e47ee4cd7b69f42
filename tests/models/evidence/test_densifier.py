"""The learned densifier ready to run."""

from __future__ import annotations

import pytest
import torch

from tests.models.evidence.test_network import network, told
from vsodtool.models.evidence.densifier import EvidenceDensifier
from vsodtool.models.evidence.label_memory import Memories
from vsodtool.models.evidence.network import FrameInput
from vsodtool.ops.labels.evidence_maps import CELL


def test_ready_to_run_it_is_the_same_function() -> None:
    evidence = told()
    with torch.no_grad():
        expected = network()(evidence)
    ready = EvidenceDensifier(network(), device=torch.device("cpu"), precision="fp32")
    memories = ready.remember(ready.look(evidence.images), evidence.labels, evidence.known_positions)
    found = ready.decide_together([evidence.frame], [memories])
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)


def test_off_the_cpu_boxes_are_enlarged_to_few_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = EvidenceDensifier(network(), device=torch.device("cpu"), precision="fp32")
    monkeypatch.setattr(ready, "_step", 64)
    evidence, seen = told(), []
    memories = ready.remember(ready.look(evidence.images), evidence.labels, evidence.known_positions)
    decide = ready._network.decide_together

    def watched(frames: list[FrameInput], known: list[Memories]) -> torch.Tensor:
        seen.extend(frames)
        return decide(frames, known)

    monkeypatch.setattr(ready._network, "decide_together", watched)
    height, width = evidence.maps.shape[-2:]
    found = ready.decide_together([evidence.frame], [memories])
    assert found.shape == (len(evidence.maps), 1, height, width)
    roomy = (height + -height % 64, width + -width % 64)
    assert (height, width) != roomy
    assert seen[0].maps.shape[-2:] == roomy
    assert seen[0].positions.shape[-2:] == (roomy[0] // CELL, roomy[1] // CELL)
    assert torch.equal(seen[0].maps[..., :height, :width], evidence.maps)
    assert torch.all(seen[0].maps[..., height:, :] == 0.5)
