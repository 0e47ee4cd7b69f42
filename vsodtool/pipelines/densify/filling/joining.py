"""The label of a frame, put together from those of groups of objects that were filled apart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import reduce

import torch

from vsodtool.ops.boxes import Box
from vsodtool.pipelines.densify.filling.label import SoftLabel

_OBJECT = 0.5


class Joining:
    """Waits for the labels of all groups of a frame; may be told from several threads."""

    def __init__(self, objects: int, groups: int, on_label: Callable[[str, SoftLabel], None]) -> None:
        """Nothing has come yet.

        Args:
            objects: of the whole label.
            groups: that it comes from.
            on_label: takes the name of a method and the whole label.
        """
        self._objects, self._groups, self._on_label = objects, groups, on_label
        self._lock = threading.Lock()
        self._parts: dict[tuple[str, int], list[tuple[Sequence[int], SoftLabel]]] = {}

    def add(self, objects: Sequence[int], name: str, label: SoftLabel) -> None:
        """What a method made of a group of objects, named by their channels in the whole label."""
        with self._lock:
            parts = self._parts.setdefault((name, label.index), [])
            parts.append((objects, label))
            if len(parts) < self._groups:
                return
            del self._parts[name, label.index]
        self._on_label(name, joined(parts, self._objects))


def joined(parts: Sequence[tuple[Sequence[int], SoftLabel]], objects: int) -> SoftLabel:
    """One label on a box that holds those of all groups.

    Groups are as far apart that hardly anything is claimed twice; there all give way alike. Trust is that of
    the group that claims a pixel, and the least of all where none does.

    Args:
        parts: the objects of each group, by channel, and its label; all of one frame.
        objects: channels of the result; what no group has is nowhere.
    """
    first = parts[0][1]
    if len(parts) == 1 and len(parts[0][0]) == objects:
        return first
    ordered = sorted(parts, key=lambda part: part[0][0])
    box = reduce(Box.union, (part.box for _, part in ordered))
    labels = first.labels.new_zeros(1, objects, *box.size)
    claimed = labels.new_zeros(1, 1, *box.size)
    worth = labels.new_ones(1, 2, *box.size)  # trust and support: outside there is no doubt
    shown: dict[int, float] = {}
    for channels, part in ordered:
        inside = part.box.shift(-box.top, -box.left)
        inside.crop(labels)[:, list(channels)] = part.labels
        support = torch.ones_like(part.trust) if part.support is None else part.support
        own, there, before = torch.cat((part.trust, support), dim=1), inside.crop(worth), inside.crop(claimed)
        claims = part.labels.sum(dim=1, keepdim=True)
        least = torch.where(before > _OBJECT, there, torch.minimum(there, own))
        there.copy_(torch.where((claims > _OBJECT) & (claims > before), own, least))
        before.add_(claims)
        shown |= {channels[number]: sure for number, sure in part.shown.items()}
    if bool((claimed > 1).any()):
        labels /= claimed.clamp_min_(1)
    expected: list[float | None] | None = None
    if all(part.expected is not None for _, part in ordered):
        of_groups = {
            n: sure
            for channels, part in ordered
            for n, sure in zip(channels, part.expected or (), strict=True)
        }
        expected = [of_groups.get(number) for number in range(objects)]
    support_of_all = None if all(part.support is None for _, part in parts) else worth[:, 1:]
    return SoftLabel(
        first.index,
        first.size,
        box,
        labels,
        worth[:, :1],
        support_of_all,
        shown,
        first.of_frame,  # all are of one method
        expected,
    )
