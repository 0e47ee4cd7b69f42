"""Other candidates than those of the run are asked for where they may matter, and kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pipelines.densify.one_video import AddsOther, begin, run
from vsodtool.errors import DataError
from vsodtool.pipelines.densify.choosing.hidden_labels import schedule_trial
from vsodtool.pipelines.densify.interval import SparseVideo
from vsodtool.types import FrameStatus, MethodChoice


def test_it_competes_with_the_methods_of_the_run(video: SparseVideo, exact: Any) -> None:
    adapt = AddsOther()
    with begin(video) as state:
        report = run(video, state, exact, adapt)
        choice = state.choice("clip")
    assert adapt.schedules == [schedule_trial(video.source, video.masks)]
    assert choice is not None
    assert set(choice.hidden_j) == {"warp", "other"}
    assert (report.method, report.hidden_j) == (choice.method, choice.hidden_j)
    assert (report.given, report.generated, report.skipped) == (4, 9, 0)


@pytest.mark.parametrize(("chosen", "asked"), [("warp", 0), ("other", 1)])
def test_a_run_that_goes_on_asks_only_if_it_was_chosen(
    video: SparseVideo, exact: Any, chosen: str, asked: int
) -> None:
    adapt = AddsOther()
    with begin(video) as state:
        state.choose("clip", MethodChoice(chosen, [], {}, "before"))
        assert run(video, state, exact, adapt).method == chosen
        assert len(adapt.schedules) == asked
        records = state.journal.records("clip")
        assert sum(record.status is FrameStatus.GIVEN for record in records.values()) == 4


def test_nobody_is_asked_about_a_finished_video(video: SparseVideo, exact: Any) -> None:
    with begin(video) as state:
        first = run(video, state, exact, AddsOther())
    adapt = AddsOther()
    with begin(video) as state:
        again = run(video, state, exact, adapt)
    assert adapt.schedules == []
    assert (again.method, again.generated) == (first.method, first.generated)


def test_what_was_learned_for_a_video_is_kept_and_not_learned_again(video: SparseVideo, exact: Any) -> None:
    kept = video.spill_folder / "adapted" / "clip.safetensors"
    with begin(video) as state:
        state.choose("clip", MethodChoice("other", [], {}, "before"))
        run(video, state, exact, AddsOther())
    assert kept.is_file()
    (video.spill_folder / "masks/clip/00006.png").unlink()
    adapt = AddsOther()
    with begin(video) as state:
        run(video, state, exact, adapt)
    assert (adapt.schedules, adapt.restored) == ([], [kept])


def test_an_update_without_what_was_learned_is_refused(video: SparseVideo, exact: Any) -> None:
    with begin(video) as state:
        state.choose("clip", MethodChoice("other", [], {}, "before"))
        run(video, state, exact, AddsOther())
    (video.spill_folder / "masks/clip/00006.png").unlink()
    (video.spill_folder / "adapted/clip.safetensors").write_bytes(b"cut")
    adapt = AddsOther()
    with (
        begin(video) as state,
        pytest.raises(DataError, match="expected the network that made the masks") as caught,
    ):
        run(video, state, exact, adapt, update=True)
    assert "--update --overwrite" in caught.value.hint
    assert adapt.schedules == []
