"""What a label says about another frame, and that it is kept as it was until the second label comes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.pipelines.intervals import make_job
from vsodtool.media.video import frame_store
from vsodtool.ops.boxes import Box, bounding_box, whole
from vsodtool.ops.labels.propagation import Carried, carry, start
from vsodtool.pipelines.densify.filling.evidence import Evidence, Side, SideStore, side_evidence
from vsodtool.pipelines.densify.interval import Interval

STEP = (2, 1)  # of the camera: (right, down)


@pytest.fixture(params=[frame_store.HELD_BYTES, 1], ids=["short", "long"])
def interval(
    film: Callable[..., Any], tmp_path: Path, request: Any, monkeypatch: pytest.MonkeyPatch
) -> Interval:
    monkeypatch.setattr(frame_store, "HELD_BYTES", request.param)
    return make_job(film([STEP] * 6), tmp_path / "clip")


def side_of(
    interval: Interval,
    exact: Any,
    index: int = 1,
    box: Box | None = None,
    gain: float = 1,
    *,
    lost: Box | None = None,
    hiding: bool = False,
) -> Side:
    """What the left label says about a frame that is darker by a gain; in a part of it flow lost its way."""
    known, frame = interval.labelled[0], whole(interval.size)
    back = torch.tensor(STEP).view(1, 2, 1, 1).expand(1, 2, *interval.size).float()
    carried: Carried = start(known.labels, frame)
    for _ in range(index):
        carried = carry(carried, back, -back, frame)
    carried = carried.on(box or frame)
    if lost is not None:
        for values, change in ((carried.labels, 0), (carried.consistency, 0.1), (carried.flow, 9)):
            lost.crop(values).fill_(change)
    image = gain * interval.image(index, box or frame)
    return side_evidence(
        known,
        interval.image(known.index, frame),
        image,
        exact,
        index=index,
        carried=carried,
        hiding=hiding,
    )


def test_both_ways_bring_the_label_to_where_it_is(interval: Interval, exact: Any) -> None:
    side = side_of(interval, exact)
    known = interval.labelled[0]
    truth = known.labels.roll((-STEP[1], -STEP[0]), (-2, -1))
    inner = (..., slice(3, -3), slice(3, -3))
    for labels in side.labels:
        torch.testing.assert_close(labels[None][inner], truth[inner], atol=1e-4, rtol=0)
    image = interval.image(1, whole(interval.size))
    torch.testing.assert_close(side.views[inner], image.expand(2, -1, -1, -1)[inner], atol=1e-4, rtol=0)
    assert side.distance == 1


def test_labelled_frames_come_in_the_light_of_the_target(interval: Interval, exact: Any) -> None:
    plain, dark = (side_of(interval, exact, gain=gain) for gain in (1.0, 0.5))
    inner = (..., slice(3, -3), slice(3, -3))
    torch.testing.assert_close(dark.views[inner], 0.5 * plain.views[inner], atol=0.01, rtol=0)
    assert torch.equal(dark.labels, plain.labels)


def test_beside_other_objects_each_goes_on_as_it_was_seen_to_go(interval: Interval, exact: Any) -> None:
    right = side_of(interval, exact)
    truth = interval.labelled[0].labels.roll((-STEP[1], -STEP[0]), (-2, -1))
    found = bounding_box(truth, 0.5)
    assert found is not None
    lost = Box(found.top, found.left, found.bottom, found.left + 5)
    alone, beside = (side_of(interval, exact, lost=lost, hiding=hiding) for hiding in (False, True))
    assert float(lost.crop(alone.labels[:1]).max()) == 0
    torch.testing.assert_close(beside.labels, right.labels, atol=1e-4, rtol=0)
    torch.testing.assert_close(lost.crop(beside.views), lost.crop(right.views), atol=1e-4, rtol=0)


@pytest.mark.parametrize("with_flow", [True, False])
def test_a_side_is_kept_to_bytes_and_given_once(interval: Interval, exact: Any, with_flow: bool) -> None:
    store = SideStore(interval, with_flow=with_flow)
    box = Box(4, 6, 30, 50)
    sides = {index: side_of(interval, exact, index, box, gain=1 / index) for index in (1, 2)}
    for index, side in sides.items():
        store.put(index, side)
    for index, side in sides.items():
        found = store.take(index)
        assert (found.known, found.distance) == (side.known, side.distance)
        for name in ("labels", "views", "consistency"):
            kept, given = getattr(found, name), getattr(side, name)
            torch.testing.assert_close(kept, given, atol=0.5 / 255 + 1e-6, rtol=0)
        if with_flow:
            torch.testing.assert_close(found.flow, side.flow)
        else:
            assert found.flow is None
        with pytest.raises(KeyError):
            store.take(index)
    store.close()


def test_all_that_came_is_in_one_order(interval: Interval, exact: Any) -> None:
    sides = [side_of(interval, exact), side_of(interval, exact, 2)]
    evidence = Evidence(
        interval, 1, interval.rgb(1), whole(interval.size), interval.image(1, whole(interval.size)), sides
    )
    assert torch.equal(evidence.labels[:2], sides[0].labels)
    assert torch.equal(evidence.views[2:], sides[1].views)
    assert torch.equal(evidence.consistency[2:3], evidence.consistency[3:])
    assert evidence.present == [True]
    label = evidence.answer(evidence.labels[:1], evidence.consistency[:1])
    assert (label.index, label.size, label.box) == (1, interval.size, whole(interval.size))


def test_a_part_to_look_at_once_is_the_same_and_takes_no_memory(interval: Interval, exact: Any) -> None:
    box, inside = whole(interval.size), Box(4, 6, 30, 50)
    evidence = Evidence(interval, 1, interval.rgb(1), box, interval.image(1, box), [side_of(interval, exact)])
    copied, seen = evidence.part(inside), evidence.part(inside, copied=False)
    assert seen.box == copied.box == inside
    for name in ("labels", "views", "consistency"):
        there, kept, whole_one = (getattr(each.sides[0], name) for each in (seen, copied, evidence))
        assert torch.equal(there, kept)
        assert there.untyped_storage().data_ptr() == whole_one.untyped_storage().data_ptr()
        assert kept.untyped_storage().nbytes() == kept.nbytes
