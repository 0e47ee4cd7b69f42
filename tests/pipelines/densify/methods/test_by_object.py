"""Several methods, each asked for its objects, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.pipelines.intervals import make_job
from vsodtool.ops.boxes import whole
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.method import Wants
from vsodtool.pipelines.densify.methods.by_object import MethodByObject


class Says:
    """Gives every object that is asked for a share of every pixel."""

    wants = Wants.BOXES

    def __init__(
        self, name: str, share: float, trust: float, support: float | None, *, of_frame: float = 1.0
    ) -> None:
        self.name, self._share, self._trust, self._support = name, share, trust, support
        self._of_frame = of_frame
        self.asked: list[list[bool]] = []

    def generate(self, evidence: Evidence) -> SoftLabel:
        self.asked.append(evidence.present)
        blank = torch.ones(1, 1, *evidence.box.size)
        labels = blank * self._share * torch.tensor(evidence.present).float().view(1, -1, 1, 1)
        support = None if self._support is None else blank * self._support
        return evidence.answer(labels, blank * self._trust, support, of_frame=self._of_frame)


@pytest.mark.parametrize(
    ("shares", "labels", "worth"),
    [
        ((0.6, 0.3), [0.6, 0.3, 0.0], (0.5, 0.9)),
        ((0.2, 0.7), [0.2, 0.7, 0.0], (0.8, 1.0)),
        ((0.9, 0.6), [0.6, 0.4, 0.0], (0.5, 0.9)),  # together more than there is
        ((0.1, 0.2), [0.1, 0.2, 0.0], (0.5, 0.9)),  # nobody wins: the least
    ],
)
def test_each_is_asked_for_its_own_and_the_winner_is_trusted(
    film: Callable[..., Any],
    tmp_path: Path,
    shares: tuple[float, float],
    labels: list[float],
    worth: tuple[float, float],
) -> None:
    clip = film([(0, 0)] * 2)
    clip.truth[0][:4], clip.truth[0][4:8] = 1, 2  # the third object is in neither label
    job = make_job(clip, tmp_path / "clip", [1, 2, 3])
    first, second = Says("first", shares[0], 0.5, 0.9), Says("second", shares[1], 0.8, None)
    box = whole(job.size)
    evidence = Evidence(job, 1, job.rgb(1), box, job.image(1, box), [])
    label = MethodByObject("first", [first, second, second]).generate(evidence)
    assert (first.asked, second.asked) == ([[True, False, False]], [[False, True, False]])
    torch.testing.assert_close(label.labels[0, :, 3, 5], torch.tensor(labels))
    assert label.trust[0, 0, 3, 5] == pytest.approx(worth[0])
    assert label.support is not None
    assert label.support[0, 0, 3, 5] == pytest.approx(worth[1])


def test_frames_are_expected_from_what_each_method_expects_them_from(
    film: Callable[..., Any], tmp_path: Path
) -> None:
    clip = film([(0, 0)] * 2)
    clip.truth[0][:4], clip.truth[0][4:8] = 1, 2
    job = make_job(clip, tmp_path / "clip", [1, 2])
    first, second = Says("first", 0.7, 0.25, None, of_frame=0.5), Says("second", 0.2, 0.8, None)
    box = whole(job.size)
    evidence = Evidence(job, 1, job.rgb(1), box, job.image(1, box), [])
    label = MethodByObject("first", [first, second]).generate(evidence)
    assert label.support is not None
    assert (label.trust[0, 0, 3, 5], label.support[0, 0, 3, 5], label.of_frame) == (0.5, 0.5, 1)


def test_in_a_part_of_the_objects_each_still_has_its_own(film: Callable[..., Any], tmp_path: Path) -> None:
    clip = film([(0, 0)] * 2)
    clip.truth[0][:4], clip.truth[0][4:8] = 1, 3
    job = make_job(clip, tmp_path / "clip", [1, 2, 3]).only([2])
    first, second = Says("first", 0.3, 0.5, 0.9), Says("second", 0.7, 0.8, None)
    box = whole(job.size)
    evidence = Evidence(job, 1, job.rgb(1), box, job.image(1, box), [])
    label = MethodByObject("first", [first, first, second]).generate(evidence)
    assert (first.asked, second.asked) == ([], [[True]])
    assert label.labels[0, :, 3, 5].tolist() == pytest.approx([0.7])
    assert label.trust[0, 0, 3, 5] == pytest.approx(0.8)


class SaysTogether(Says):
    """Wants to hear of all groups at once."""

    def generate_together(self, evidences: Sequence[Evidence]) -> list[SoftLabel]:
        self.groups = len(evidences)
        return [self.generate(evidence) for evidence in evidences]


def test_of_several_groups_each_method_hears_at_once_of_those_that_have_its_objects(
    film: Callable[..., Any], tmp_path: Path
) -> None:
    clip = film([(0, 0)] * 2)
    clip.truth[0][:4], clip.truth[0][4:8], clip.truth[0][8:12] = 1, 2, 3
    job = make_job(clip, tmp_path / "clip", [1, 2, 3])
    first, second = SaysTogether("first", 0.3, 0.5, 0.9), SaysTogether("second", 0.7, 0.8, None)
    box = whole(job.size)
    evidences = [
        Evidence(job.only(objects), 1, job.rgb(1), box, job.image(1, box), []) for objects in ([0, 2], [1])
    ]
    labels = MethodByObject("first", [first, first, second]).generate_together(evidences)
    assert (first.groups, second.groups) == (2, 1)
    assert (first.asked, second.asked) == ([[True, False], [True]], [[False, True]])
    assert [label.labels[0, :, 3, 5].tolist() for label in labels] == [
        pytest.approx([0.3, 0.7]),
        pytest.approx([0.3]),
    ]
