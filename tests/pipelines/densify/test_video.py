"""One video through `pseudolabel`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pipelines.densify.one_video import AddsOther, begin, run
from vsodtool.pipelines.densify.interval import SparseVideo
from vsodtool.types import Event


def test_progress_counts_all_the_work_and_names_its_stages(video: SparseVideo, exact: Any) -> None:
    events: list[Event] = []
    with begin(video) as state:
        run(video, state, exact, AddsOther(), events.append, overlay=True)
    frames = [event for event in events if event.kind == "frame"]
    shares = [event.share for event in frames]
    assert None not in shares
    stages = list(dict.fromkeys(event.message for event in frames))
    assert stages == ["comparing methods on hidden labels", "", "drawing the overlay"]
    chosen = next(at for at, event in enumerate(frames) if not event.message)  # from here on it is known
    later = shares[chosen:]
    assert later == sorted(later)  # type: ignore[type-var]
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(1)
