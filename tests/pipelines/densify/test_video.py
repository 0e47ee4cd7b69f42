"""One video through `pseudolabel`: other candidates than the run's are asked for where they may matter."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from vsodtool.config import PseudoLabelConfig
from vsodtool.errors import DataError
from vsodtool.media.masks.sparse import match_masks
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.resume import describe_run, start_or_resume
from vsodtool.media.output.run_state import ResumeState
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.densify.choosing.hidden_labels import TrialSchedule, schedule_trial
from vsodtool.pipelines.densify.interval import SparseVideo
from vsodtool.pipelines.densify.method import WarpMethod
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.pipelines.densify.setup import Candidates
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.densify.video import Learned, PseudoLabelVideoReport, VideoDensification
from vsodtool.types import Event, FrameStatus, MethodChoice, OnEvent, ignore_event

GIVEN = [0, 4, 8, 12]


class Other(WarpMethod):
    """Warp by another name."""

    name = "other"


class AddsOther:
    """What stands in for `--adapt`; remembers what it was shown."""

    def __init__(self) -> None:
        self.schedules: list[TrialSchedule] = []
        self.restored: list[Path] = []

    def learn(
        self,
        video: SparseVideo,
        schedule: TrialSchedule,
        candidates: Candidates,
        workers: Workers,
        on_event: OnEvent,
    ) -> Learned:
        self.schedules.append(schedule)
        return Learned(candidates.beside(Other()), {"weight": torch.zeros(1)})

    def restore(self, candidates: Candidates, path: Path) -> Candidates:
        self.restored.append(path)
        return candidates.beside(Other())


@pytest.fixture
def video(tmp_path: Path, film: Callable[..., Any]) -> SparseVideo:
    clip = film([(1, 0)] * 12)
    source = open_frames(discover_videos([str(clip.write_folder(tmp_path / "clip"))])[0])
    masks = match_masks(clip.write_masks(tmp_path / "masks", GIVEN), [source])["clip"]
    return SparseVideo(source, masks, tmp_path / "out")


def begin(video: SparseVideo) -> ResumeState:
    layout = OutputLayout(video.spill_folder)
    return start_or_resume(
        layout,
        describe_run("labels", {}, [video.source.video], {}),
        outputs_of=lambda record: [layout.masks(record.video, record.frame)],
    )


def run(
    video: SparseVideo,
    state: ResumeState,
    exact: Any,
    adapt: AddsOther,
    on_event: OnEvent = ignore_event,
    **options: Any,
) -> PseudoLabelVideoReport:
    config = PseudoLabelConfig(inputs=("clip",), masks=("masks",), output=video.spill_folder, **options)
    candidates = Candidates({"warp": WarpMethod()}, MotionEstimators(exact, exact), "fast", "exact")
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(2) as drivers:
        work = VideoDensification(
            video,
            state,
            on_event,
            config=config,
            candidates=candidates,
            workers=Workers(pool, drivers),
            adapt=adapt,
        )
        return work.run().report


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
        assert sum(record.status is FrameStatus.GIVEN for record in records.values()) == len(GIVEN)


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
