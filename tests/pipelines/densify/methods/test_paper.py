"""What the paper's network is shown: labels and flows at its own size; one side stands for both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.pipelines.intervals import make_job
from vsodtool.ops.boxes import whole
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.method import Wants
from vsodtool.pipelines.densify.methods.paper import DirectMethod, PaperMethod


class Mean:
    """In place of the network: what both sides say on average; remembers what it was shown."""

    size = 32

    def __init__(self) -> None:
        self.shown: list[tuple[Tensor, Any, Any, Any]] = []

    def generate(self, image: Tensor, warped: Any, flows: Any, *, present: Any) -> Tensor:
        self.shown.append((image, warped, flows, present))
        return (warped[0] + warped[1]) / 2


class Still:
    """Nothing moves."""

    name = "still"

    def __init__(self) -> None:
        self.pairs: list[tuple[Tensor, Tensor]] = []

    def estimate(self, image_a: Tensor, image_b: Tensor, *, initial: Tensor | None = None) -> Tensor:
        self.pairs.append((image_a, image_b))
        return torch.zeros(len(image_a), 2, *image_a.shape[-2:])


@pytest.fixture
def job(film: Callable[..., Any], tmp_path: Path) -> Interval:
    """Three frames of a camera that rests, labelled at both ends; of two objects one is shown."""
    clip = film([(0, 0)] * 2)
    for truth in clip.truth:
        truth[:] = 0
        truth[16:32, 16:48] = 1
    return make_job(clip, tmp_path / "clip", [1, 2])


def evidence(job: Interval) -> Evidence:
    rgb = job.rgb(1)
    box = whole(job.size)
    return Evidence(job, 1, rgb, box, job.image(1, box), [])


def test_direct_flow_goes_from_the_frame_to_each_label(job: Interval) -> None:
    densifier, still = Mean(), Still()
    method: Any = DirectMethod(densifier, still)  # type: ignore[arg-type]
    label = method.generate(evidence(job))
    assert method.wants is Wants.LABELS
    ((here, there),) = still.pairs
    assert here.shape == there.shape == (2, 3, 32, 32)
    assert torch.equal(here[0], here[1])
    ((image, warped, flows, present),) = densifier.shown
    assert torch.equal(image, here[:1])
    assert present == [True, False]
    assert all(each.shape == (1, 2, 32, 32) for each in (*warped, *flows))
    assert torch.equal(warped[0], warped[1])  # nothing moved
    truth = job.known.labels
    assert label.labels.shape == truth.shape
    assert ((label.labels > 0.5) == (truth > 0.5)).float().mean() > 0.97  # but for the rim, which is resized
    method.generate(evidence(job))
    assert torch.equal(densifier.shown[1][1][0], warped[0])  # labels are resized once


def test_before_the_first_and_after_the_last_label_the_known_side_stands_for_both(job: Interval) -> None:
    alone = replace(job, right=None)
    densifier = Mean()
    both: Any = DirectMethod(Mean(), Still())  # type: ignore[arg-type]
    one: Any = DirectMethod(densifier, Still())  # type: ignore[arg-type]
    label = one.generate(evidence(alone))
    ((_, warped, flows, _),) = densifier.shown
    assert torch.equal(warped[0], warped[1])
    assert torch.equal(flows[0], flows[1])
    assert (label.trust <= both.generate(evidence(job)).trust).all()
    assert label.trust.max() < 1


def test_composed_flow_is_scaled_with_the_frame(job: Interval) -> None:
    height, width = job.size
    flow = torch.stack([torch.full((height, width), 8.0), torch.full((height, width), 4.0)])[None]
    labels = torch.cat([torch.zeros_like(job.known.labels), job.known.labels])  # composed, then refined
    side: Any = type("Side", (), {"flow": flow, "labels": labels})
    densifier = Mean()
    method: Any = PaperMethod(densifier)  # type: ignore[arg-type]

    class Shown:
        """Evidence with two such sides."""

        def __init__(self, whole_: Evidence) -> None:
            self.rgb, self.image, self.interval = whole_.rgb, whole_.image, whole_.interval
            self.sides, self.present, self.answer = [side, side], whole_.present, whole_.answer

    method.generate(Shown(evidence(job)))
    assert method.wants is Wants.FRAMES
    ((_, warped, flows, _),) = densifier.shown
    assert warped[0].shape == (1, 2, 32, 32)
    assert warped[0][0].amax((1, 2)).tolist() == [1.0, 0.0]  # the refined labels
    assert flows[0].shape == (1, 2, 32, 32)
    torch.testing.assert_close(flows[0][:, 0], torch.full((1, 32, 32), 8.0 * 32 / width))
    torch.testing.assert_close(flows[0][:, 1], torch.full((1, 32, 32), 4.0 * 32 / height))
