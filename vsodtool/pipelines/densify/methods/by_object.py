"""Several objects, each by the method that does better on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from vsodtool.ops.confidence import owners
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.method import FrameMethod, Wants, generate_all


class MethodByObject:
    """Asks each method for its objects, and puts together what they say."""

    wants = Wants.BOXES

    def __init__(self, name: str, of_objects: Sequence[FrameMethod]) -> None:
        """Take methods over.

        Args:
            name: as it is called.
            of_objects: the method of each object, by channel; all want boxes.
        """
        self.name = name
        self._of_objects = of_objects

    def generate(self, evidence: Evidence) -> SoftLabel:
        """Where they claim more than there is, all give way alike; trust is that of the winner's method."""
        return self.generate_together([evidence])[0]

    def generate_together(self, evidences: Sequence[Evidence]) -> list[SoftLabel]:
        """As `generate`, of several groups of objects in a frame."""
        asked = [self._asked(evidence) for evidence in evidences]
        made: list[dict[FrameMethod, SoftLabel]] = [{} for _ in evidences]
        for method in dict.fromkeys(self._of_objects):
            of_groups = [number for number, objects in enumerate(asked) if method in objects]
            shown = [replace(evidences[number], asked=asked[number][method]) for number in of_groups]
            for number, label in zip(of_groups, generate_all(method, shown), strict=True):
                made[number][method] = label
        return [self._put_together(*each) for each in zip(evidences, made, strict=True)]

    def _asked(self, evidence: Evidence) -> dict[FrameMethod, frozenset[int]]:
        """The objects that each method is asked for, by channel."""
        asked: dict[FrameMethod, set[int]] = {}
        for number, channel in enumerate(evidence.interval.objects):
            asked.setdefault(self._of_objects[channel], set()).add(number)
        return {method: frozenset(objects) for method, objects in asked.items()}

    def _put_together(self, evidence: Evidence, made: Mapping[FrameMethod, SoftLabel]) -> SoftLabel:
        of_objects = [self._of_objects[channel] for channel in evidence.interval.objects]
        parts = [made[method].labels[:, number] for number, method in enumerate(of_objects)]
        labels = torch.stack(parts, dim=1)
        labels = labels / labels.sum(dim=1, keepdim=True).clamp_min(1)
        winner = owners(labels)
        # What each method's frames are expected from, and what else its pixels are: one power is for all.
        trusts = {method: label.trust**label.of_frame for method, label in made.items()}
        supports = {
            method: label.trust ** (1 - label.of_frame) * (1.0 if label.support is None else label.support)
            for method, label in made.items()
        }
        trust = _of_winner(winner, of_objects, trusts)
        return evidence.answer(labels, trust, _of_winner(winner, of_objects, supports))


def _of_winner(
    winner: Tensor, of_objects: Sequence[FrameMethod], maps: Mapping[FrameMethod, Tensor]
) -> Tensor:
    """At each pixel the value of the winner's method, the least of all where nobody wins."""
    result = torch.stack(list(maps.values())).amin(dim=0)
    for number, method in enumerate(of_objects):
        result = torch.where(winner == number + 1, maps[method], result)
    return result
