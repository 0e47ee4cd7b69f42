"""What is the same for every video of which each frame gets files: what is made, told, counted and drawn."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vsodtool.errors import VsodtoolError
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.images import encode_png, read_grey
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.resume import describe_run, start_or_resume
from vsodtool.media.output.run_state import ResumeState
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.running.reports import Outcome, VideoReport
from vsodtool.pipelines.running.video_run import VideoRun
from vsodtool.types import Event, FrameRecord, FrameStatus, LabelArray

BROKEN = b"\x89PNG\r\n\x1a\n broken"


@dataclass(frozen=True)
class Told(VideoReport):
    generated: int
    skipped: int
    confidence: float
    seconds: float


class Left(VideoRun[Told]):
    """The left half of every frame is the object; frame number i is sure by i / 10."""

    made = 0

    def make(self) -> None:
        for frame in self.source:
            if frame.name in self.records:
                continue
            mask = np.zeros(frame.rgb.shape[:2], np.uint8)
            mask[:, : mask.shape[1] // 2] = 255
            write_bytes_atomically(self.layout.masks(self.name, frame.name), encode_png(mask))
            self.tell(frame.name)
            record = FrameRecord(
                self.name, frame.name, FrameStatus.GENERATED, "", "", round(frame.index / 10, 1)
            )
            self.commit([record])
            self.made += 1

    def labels(self, frame: str) -> LabelArray | None:
        path = self.layout.masks(self.name, frame)
        return (read_grey(path) > 0).astype(np.uint16) if path.exists() else None

    def report(self, seconds: float) -> Told:
        generated, skipped = self.count(FrameStatus.GENERATED), self.count(FrameStatus.SKIPPED)
        return Told(self.name, self.total, generated, skipped, self.confidence(), seconds)


@pytest.fixture
def video(tmp_path: Path, film: Callable[..., Any]) -> Path:
    """Five frames, of which the third does not decode."""
    folder: Path = film([(1, 0)] * 4).write_folder(tmp_path / "clip")
    (folder / "00002.png").write_bytes(BROKEN)
    return folder


def begin(video: Path, out: Path) -> tuple[FrameSource, ResumeState]:
    (found,) = discover_videos([str(video)])
    state = start_or_resume(
        OutputLayout(out),
        describe_run("left", {}, [found], {}),
        outputs_of=lambda record: (
            []
            if record.status is FrameStatus.SKIPPED
            else [OutputLayout(out).masks(record.video, record.frame)]
        ),
    )
    return open_frames(found), state


def run(video: Path, out: Path, events: list[Event], *, overlay: bool = False) -> tuple[Left, Outcome[Told]]:
    source, state = begin(video, out)
    with state:
        work = Left(source, state, events.append, overlay=overlay)
        return work, work.run()


def test_what_does_not_decode_is_skipped_and_told(video: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    work, outcome = run(video, tmp_path / "out", events)
    assert [record.frame for record in outcome.records] == [f"{index:05d}" for index in range(5)]
    statuses = [record.status for record in outcome.records]
    assert statuses == [FrameStatus.GENERATED] * 2 + [FrameStatus.SKIPPED] + [FrameStatus.GENERATED] * 2
    (loss,) = outcome.losses
    assert loss.startswith("clip: frame 00002: ")
    assert [event.message for event in events if event.kind == "warning"] == [loss]
    assert outcome.report == Told("clip", 5, 4, 1, 0.2, outcome.report.seconds)  # mean of 0, .1, .3, .4
    assert work.made == 4


class Forgetful(Left):
    """Commits nothing of the fourth frame, and reads the others in two goes."""

    def make(self) -> None:
        for part in ([0, 1, 2], [4]):
            for frame in self.source.select(part):
                record = FrameRecord(self.name, frame.name, FrameStatus.GENERATED, "", "", 0.5)
                write_bytes_atomically(self.layout.masks(self.name, frame.name), b"")
                self.commit([record])

    def discard(self, record: FrameRecord) -> None:
        self.state.drop([self.layout.masks(self.name, record.frame)])


def test_a_frame_that_decodes_and_was_not_made_is_a_fault(video: Path, tmp_path: Path) -> None:
    source, state = begin(video, tmp_path / "out")
    with state:
        work = Forgetful(source, state, [].append, overlay=False)
        with pytest.raises(VsodtoolError, match="clip: frame 00003: expected a result") as caught:
            work.run()
    assert caught.value.exit_code == 1
    assert "00003" not in work.records
    assert not (tmp_path / "out/frames.csv").exists()


def test_a_fault_deletes_no_file_of_the_frame(video: Path, tmp_path: Path) -> None:
    run(video, tmp_path / "out", [])
    source, state = begin(video, tmp_path / "out")
    with state:
        work = Forgetful(source, state, [].append, overlay=False, holds=lambda record: False)
        with pytest.raises(VsodtoolError, match="00003"):
            work.run()
    assert (tmp_path / "out/masks/clip/00003.png").is_file()


def test_a_loss_that_only_an_earlier_part_met_is_a_loss(video: Path, tmp_path: Path) -> None:
    class InParts(Forgetful):
        def make(self) -> None:
            super().make()
            write_bytes_atomically(self.layout.masks(self.name, "00003"), b"")
            self.commit([FrameRecord(self.name, "00003", FrameStatus.GENERATED, "", "", 0.5)])

    source, state = begin(video, tmp_path / "out")
    with state:
        outcome = InParts(source, state, [].append, overlay=False).run()
    assert [record.frame for record in outcome.records if record.status is FrameStatus.SKIPPED] == ["00002"]
    (loss,) = outcome.losses
    assert loss.startswith("clip: frame 00002: ")


def test_progress_counts_each_frame_once(video: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    run(video, tmp_path / "out", events)
    told = [(event.kind, event.done, event.total) for event in events if event.kind != "warning"]
    assert told == [("video", 0, 5), *(("frame", done, 5) for done in (1, 2, 3, 4)), ("done", 5, 5)]


def test_a_loss_is_told_again_but_nothing_is_made_again(video: Path, tmp_path: Path) -> None:
    _, first = run(video, tmp_path / "out", [])
    events: list[Event] = []
    work, second = run(video, tmp_path / "out", events)
    assert work.made == 0
    assert (second.losses, second.records) == (first.losses, first.records)
    assert events[0].done == 4


def test_a_finished_video_is_not_decoded(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (video / "00002.png").write_bytes((video / "00001.png").read_bytes())
    _, first = run(video, tmp_path / "out", [])
    source, state = begin(video, tmp_path / "out")

    decoded: list[str] = []
    iterate = type(source).__iter__

    def watched(source: Any) -> Any:
        decoded.append(source.video.name)
        return iterate(source)

    monkeypatch.setattr(type(source), "__iter__", watched)
    with state:
        assert Left(source, state, [].append, overlay=False).run().records == first.records
        assert decoded == []
        source.is_cut = True  # type: ignore[misc]  # what was lost is told by every run
        Left(source, state, [].append, overlay=False).run()
        assert decoded == ["clip"]


def test_commits_from_several_threads(video: Path, tmp_path: Path) -> None:
    source, state = begin(video, tmp_path / "out")
    records = [FrameRecord("clip", str(at), FrameStatus.SKIPPED, "", "", 0.0) for at in range(200)]
    with state:
        work = Left(source, state, [].append, overlay=False)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda at: work.commit(records[at : at + 10]), range(0, 200, 10)))
        assert {record.frame: record for record in records} == work.records
        assert state.journal.records("clip") == work.records


def test_the_overlay_shows_the_labels_and_is_drawn_once(video: Path, tmp_path: Path) -> None:
    run(video, tmp_path / "out", [], overlay=True)
    path = tmp_path / "out/overlay/clip.mp4"
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    assert len(frames) == 4
    plain = [frame.rgb.astype(int) for frame in open_frames(discover_videos([str(video)])[0])]
    for drawn, bare in zip(frames, plain, strict=True):
        change = drawn - bare
        redder = change[..., 0] - change[..., 1]  # the first object is red
        assert redder[:, :26].mean() > 60
        assert abs(redder[:, 30:].mean()) < 10
    before = path.stat().st_mtime_ns
    run(video, tmp_path / "out", [], overlay=True)
    assert path.stat().st_mtime_ns == before


def test_without_generated_frames_there_is_nothing_to_doubt(video: Path, tmp_path: Path) -> None:
    source, state = begin(video, tmp_path / "out")
    with state:
        assert Left(source, state, [].append, overlay=False).confidence() == 1.0
