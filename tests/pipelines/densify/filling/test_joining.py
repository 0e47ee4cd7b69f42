"""Labels of groups of objects become one."""

from __future__ import annotations

from dataclasses import replace

import torch

from vsodtool.ops.boxes import Box
from vsodtool.pipelines.densify.filling.joining import Joining, joined
from vsodtool.pipelines.densify.filling.label import SoftLabel

LEFT, RIGHT = Box(0, 0, 4, 6), Box(2, 4, 8, 12)  # two rows and two columns in common


def part(
    box: Box, *values: float, trust: float = 1.0, support: float | None = None, index: int = 3
) -> SoftLabel:
    blank = torch.ones(1, 1, *box.size)
    labels = torch.tensor(values).view(1, -1, 1, 1) * blank
    return SoftLabel(
        index, (10, 14), box, labels, trust * blank, None if support is None else support * blank
    )


def test_each_object_comes_to_its_channel_and_nothing_is_elsewhere() -> None:
    label = joined([([1, 2], part(RIGHT, 0.3, 0.2)), ([0], part(LEFT, 0.4))], 4)
    assert (label.index, label.size, label.box) == (3, (10, 14), Box(0, 0, 8, 12))
    assert label.labels.shape == (1, 4, 8, 12)
    torch.testing.assert_close(label.labels[0, :, 0, 0], torch.tensor([0.4, 0, 0, 0]))
    torch.testing.assert_close(label.labels[0, :, 7, 11], torch.tensor([0, 0.3, 0.2, 0]))
    torch.testing.assert_close(label.labels[0, :, 3, 5], torch.tensor([0.4, 0.3, 0.2, 0]))
    assert float(label.labels[0, :, 0, 11].sum()) == 0
    assert label.support is None


def test_what_is_claimed_twice_is_shared_and_the_claimant_is_trusted() -> None:
    strong, weak = part(LEFT, 0.9, trust=0.7, support=0.8), part(RIGHT, 0.6, trust=0.4)
    for parts in ([([0], strong), ([1], weak)], [([1], weak), ([0], strong)]):
        label = joined(parts, 2)
        assert label.support is not None
        torch.testing.assert_close(label.labels[0, :, 3, 5], torch.tensor([0.6, 0.4]))
        at = [
            float(worth[0, 0, row, column])
            for worth in (label.trust, label.support)
            for row, column in ((3, 5), (0, 0), (7, 11), (0, 11))
        ]
        torch.testing.assert_close(torch.tensor(at), torch.tensor([0.7, 0.7, 0.4, 1, 0.8, 0.8, 1, 1]))


def test_where_one_claims_it_alone_is_trusted_and_nobody_the_least() -> None:
    for claims, expected in (((0.1, 0.9), 0.5), ((0.9, 0.1), 0.8), ((0.1, 0.2), 0.5)):
        label = joined([([0], part(LEFT, claims[0], trust=0.8)), ([1], part(RIGHT, claims[1], trust=0.5))], 2)
        assert float(label.trust[0, 0, 3, 5]) == torch.tensor(expected)
    label = joined([([0], part(LEFT, 0.1, trust=0.3)), ([1], part(RIGHT, 0.9, trust=0.5))], 2)
    assert float(label.trust[0, 0, 3, 5]) == 0.5


def test_what_trust_counts_of_the_frame_stays() -> None:
    parts = [replace(part(box, 0.9), of_frame=0.1) for box in (LEFT, RIGHT)]
    assert joined([([0], parts[0]), ([1], parts[1])], 2).of_frame == 0.1


def test_what_was_looked_for_keeps_its_number() -> None:
    seen = replace(part(RIGHT, 0.3, 0.2), shown={1: 0.5})
    assert joined([([0], part(LEFT, 0.4)), ([2, 3], seen)], 4).shown == {3: 0.5}


def test_a_label_is_given_once_all_groups_have_said_theirs() -> None:
    given: list[tuple[str, SoftLabel]] = []
    joining = Joining(2, 2, lambda name, label: given.append((name, label)))
    joining.add([1], "warp", part(RIGHT, 0.5))
    joining.add([1], "warp", part(RIGHT, 0.5, index=4))
    joining.add([1], "fgplg", part(RIGHT, 0.5))
    assert not given
    joining.add([0], "warp", part(LEFT, 0.5, index=4))
    assert [(name, label.index) for name, label in given] == [("warp", 4)]


def test_one_group_of_all_is_given_as_it_is() -> None:
    given: list[SoftLabel] = []
    whole = part(LEFT, 0.6, 0.6)
    Joining(2, 1, lambda _, label: given.append(label)).add([0, 1], "warp", whole)
    assert given == [whole]
    assert given[0] is whole


def test_what_is_expected_of_each_object_stays_where_all_know_it() -> None:
    left, right = (
        replace(part(LEFT, 0.9), expected=[0.8]),
        replace(part(RIGHT, 0.9, 0.1), expected=[None, 0.6]),
    )
    assert joined([([1], left), ([3, 0], right)], 4).expected == [0.6, 0.8, None, None]
    assert joined([([1], left), ([3, 0], part(RIGHT, 0.9, 0.1))], 4).expected is None
