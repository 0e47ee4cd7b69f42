"""Several shards in one output folder: whoever ends last completes the run."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from vsodtool.config.shard import Shard
from vsodtool.errors import DataError, DeviceError, UsageError
from vsodtool.media.atomic import temporary_path, write_bytes_atomically
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import CLEARING, Manifest, read_manifest, write_manifest
from vsodtool.media.output.resume import describe_run, start_or_resume
from vsodtool.media.output.shard_run import Part, ShardState, start_shard
from vsodtool.media.output.tables.frames_csv import read_frames_csv
from vsodtool.types import FrameRecord, FrameStatus, MethodChoice

FRAMES = {"cat": ["0", "1"], "bear": ["0", "1", "2"], "ant": ["0"]}
OWN = {
    Shard(1, 2): {"bear"},
    Shard(2, 2): {"ant", "cat"},
    Shard(1, 3): {"cat"},
    Shard(3, 3): set(),
    Shard(2, 4): {"bear"},
}
ONE, TWO = Shard(1, 2), Shard(2, 2)


class Run:
    """Three videos, of which each shard does some."""

    def __init__(self, make_input: Callable[..., Any], folder: Path) -> None:
        self.layout = OutputLayout(folder / "out")
        self.inputs = [make_input(video) for video in FRAMES]
        self.config: dict[str, object] = {"every": 5, "shard": "", "device": "cpu"}

    def describe(self) -> Manifest:
        return describe_run("pseudolabel", self.config, self.inputs, {})

    def start(self, shard: Shard, launch: str = "", **options: Any) -> ShardState:
        part = Part(shard, FRAMES, frozenset(OWN[shard]), launch)
        return start_shard(self.layout, self.describe(), part, outputs_of=self.outputs_of, **options)

    def start_whole(self, **options: Any) -> Any:
        return start_or_resume(self.layout, self.describe(), outputs_of=self.outputs_of, **options)

    def outputs_of(self, record: FrameRecord) -> Iterable[Path]:
        return [] if record.status is FrameStatus.SKIPPED else [self.layout.masks(record.video, record.frame)]

    def make(self, video: str, frame: str) -> FrameRecord:
        write_bytes_atomically(self.layout.masks(video, frame), f"{video} {frame}".encode())
        return FrameRecord(video, frame, FrameStatus.GENERATED, "", "", 0.5)

    def work(self, state: Any, videos: Iterable[str] | None = None) -> None:
        """Make what is missing, in another order than that of the table, and finish."""
        own = OWN[state._part.shard] if videos is None else videos
        rows = []
        for video in own:
            known = state.finished(video)
            for frame in reversed(FRAMES[video]):
                if frame not in known:
                    known[frame] = self.make(video, frame)
                    state.commit([known[frame]])
            rows += [known[frame] for frame in FRAMES[video]]
        if not state.complete:
            state.finish(rows, 1.0)

    def files(self) -> list[str]:
        root = self.layout.root
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())

    def table(self) -> list[tuple[str, str]]:
        return [(row.video, row.frame) for row in read_frames_csv(self.layout.frames_csv)]


WHOLE = [(video, frame) for video, frames in FRAMES.items() for frame in frames]
FILES = sorted(
    [
        "frames.csv",
        "manifest.json",
        "written.jsonl",
        *(f"masks/{video}/{frame}.png" for video, frame in WHOLE),
    ]
)


@pytest.fixture
def run(make_input: Callable[..., Any], tmp_path: Path) -> Run:
    return Run(make_input, tmp_path)


@pytest.mark.parametrize("order", [[ONE, TWO], [TWO, ONE]])
def test_one_after_the_other(run: Run, order: list[Shard]) -> None:
    with run.start(order[0]) as state:
        run.work(state)
        assert not state.complete
        assert set(state.waiting_for()) == OWN[order[1]]
    assert f"journal-{order[0].index}-of-2.jsonl" in run.files()
    assert not run.layout.frames_csv.exists()
    with run.start(order[1]) as state:
        run.work(state)
        assert state.complete
        assert state.waiting_for() == []
    assert run.files() == FILES
    assert run.table() == WHOLE
    manifest = read_manifest(run.layout.manifest)
    assert manifest is not None
    assert (manifest.status, manifest.videos["bear"]["generated"]) == ("complete", 3)
    assert "shard" not in manifest.config


def test_at_once(run: Run) -> None:
    one, two = run.start(ONE), run.start(TWO)
    run.work(two)
    assert not two.complete
    run.work(one)
    assert one.complete
    two.close()
    one.close()
    assert run.files() == FILES
    assert run.table() == WHOLE


def test_a_shard_without_videos_and_a_run_that_is_complete(run: Run) -> None:
    with run.start(Shard(3, 3)) as state:
        run.work(state)
        assert state.waiting_for() == list(FRAMES)
    with run.start_whole() as whole:
        run.work(whole, FRAMES)
    with run.start(Shard(3, 3)) as state:
        assert state.complete
    assert run.files() == FILES


@pytest.mark.parametrize("finisher", ["the same", "another division", "the whole"])
def test_a_killed_shard(run: Run, finisher: str) -> None:
    with run.start(TWO) as state:
        run.work(state)
    with run.start(ONE) as state:  # ends without having finished
        state.commit([run.make("bear", "1")])
    before = run.layout.masks("bear", "1").stat().st_mtime_ns
    if finisher == "the same":
        with run.start(ONE) as state:
            assert list(state.finished("bear")) == ["1"]
            run.work(state)
    elif finisher == "another division":
        with run.start(Shard(2, 4)) as state:
            run.work(state)
    else:
        with run.start_whole() as whole:
            assert list(whole.finished("cat")) == ["1", "0"]
            run.work(whole, FRAMES)
    assert run.files() == FILES
    assert run.table() == WHOLE
    assert run.layout.masks("bear", "1").stat().st_mtime_ns == before


def test_shards_finish_what_a_whole_run_began(run: Run) -> None:
    with run.start_whole() as whole:
        whole.commit([run.make("bear", "1")])
    for shard in (ONE, TWO):
        with run.start(shard) as state:
            run.work(state)
    assert run.files() == FILES


def test_the_choices_of_all_shards_come_together(run: Run) -> None:
    choices = {video: MethodChoice("warp", [], {}, f"because of {video}") for video in FRAMES}
    with run.start(TWO) as state:
        for video in sorted(OWN[TWO]):
            state.choose(video, choices[video])
        run.work(state)
    with run.start(ONE) as state:
        state.choose("bear", choices["bear"])
    for mend in (False, True):
        with run.start(ONE) as state:
            assert not state.complete
            assert state.choice("bear") == choices["bear"]
            run.work(state)
        written = read_manifest(run.layout.manifest)
        assert written is not None
        assert (written.status, written.choices) == ("complete", choices)
        if not mend:
            run.layout.masks("bear", "0").unlink()


def test_a_run_that_lost_a_file_is_mended_by_its_shard_alone(run: Run) -> None:
    for shard in (ONE, TWO):
        with run.start(shard) as state:
            run.work(state)
    run.layout.masks("bear", "1").unlink()
    with run.start(TWO) as state:  # has nothing to do, and must not call the run complete
        run.work(state)
        assert not state.complete
    manifest = read_manifest(run.layout.manifest)
    assert manifest is not None
    assert manifest.status == "running"
    with run.start(ONE) as state:
        run.work(state)
        assert state.complete
    assert run.files() == FILES


def test_frames_that_do_not_decode_are_known_to_the_last(run: Run) -> None:
    with run.start(ONE) as state:
        rows = [FrameRecord("bear", frame, FrameStatus.SKIPPED, "", "", 0.0) for frame in FRAMES["bear"]]
        state.finish(rows, 1.0)
    with run.start(TWO) as state:
        run.work(state)
        assert state.manifest.videos["bear"]["skipped"] == 3


def test_counts_of_a_command_without_frames(run: Run) -> None:
    with run.start(ONE) as state:
        state.finish_counts({"bear": {"flows": 2}}, 1.0)
        assert not state.complete
    with run.start(TWO) as state:
        state.finish_counts({"cat": {"flows": 1}, "ant": {"flows": 0}}, 2.0)
    manifest = read_manifest(run.layout.manifest)
    assert manifest is not None
    assert manifest.videos == {"cat": {"flows": 1}, "bear": {"flows": 2}, "ant": {"flows": 0}}
    assert (manifest.status, manifest.seconds) == ("complete", 2.0)
    with run.start(ONE) as state:  # mends: the others' counts stay
        state.finish_counts({"bear": {"flows": 3}}, 1.0)
        assert state.manifest.videos["cat"] == {"flows": 1}
        assert state.manifest.videos["bear"] == {"flows": 3}


def test_what_may_not_be_at_work_together(run: Run) -> None:
    with run.start(ONE):
        with pytest.raises(DeviceError, match="another run"):
            run.start(ONE)
        with pytest.raises(DeviceError, match="another run"):
            run.start_whole()
        with pytest.raises(DeviceError, match=r"shard 1/2 is writing to .* divides the videos otherwise"):
            run.start(Shard(1, 3))
        run.start(TWO).close()
    with run.start_whole(), pytest.raises(DeviceError, match="another run"):
        run.start(ONE)
    run.start(Shard(1, 3)).close()
    assert [name for name in run.files() if name.endswith(".lock")] == []


def test_another_run_is_refused_by_a_shard_too(run: Run) -> None:
    run.start(ONE).close()
    run.config["every"] = 7
    with pytest.raises(UsageError, match="--every changed"):
        run.start(TWO)
    run.config["every"] = 5
    run.inputs.pop()
    with pytest.raises(DataError, match="not among the inputs now"):
        run.start(TWO)
    assert [name for name in run.files() if name.endswith(".lock")] == []


def test_devices_of_one_kind_are_the_same(run: Run) -> None:
    run.config["device"] = "cuda:0"
    run.start(ONE).close()
    run.config["device"] = "cuda:1"
    run.start(TWO).close()
    run.config["device"] = "cpu"
    with pytest.raises(UsageError, match=r"option --device changed: .*'cuda', now it is 'cpu'"):
        run.start(TWO)


def test_temporary_files_of_live_shards_stay(run: Run) -> None:
    one = run.start(ONE)
    half = temporary_path(run.layout.masks("bear", "0"))
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    spill = run.layout.root / ".vsodtool-spill-abc.tmp"
    spill.mkdir()
    with run.start(TWO):
        pass
    assert half.exists()
    assert spill.exists()
    one.close()
    assert not half.exists()
    assert not spill.exists()
    half.write_bytes(b"half")
    run.layout.shard_lock(TWO).write_text("123")  # of a killed process
    with run.start(ONE):
        assert not half.exists()
        assert not run.layout.shard_lock(TWO).exists()


def test_where_there_are_no_locks_nothing_is_swept_away(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*args: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", no_locks)
    half = temporary_path(run.layout.masks("bear", "0"))
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    run.layout.manifest.write_text("")
    write_manifest(run.layout.manifest, run.describe())
    one, two = run.start(ONE), run.start(TWO)
    run.work(one)
    run.work(two)
    assert two.complete
    one.close()
    two.close()
    assert half.exists()
    assert run.table() == WHOLE


def test_the_first_of_a_launch_clears(run: Run) -> None:
    for shard in (ONE, TWO):
        with run.start(shard) as state:
            run.work(state)
    run.config["every"] = 9
    with run.start(TWO, launch="x", overwrite=True) as state:
        assert (state.resumed, state.complete) == (False, False)
        assert sorted(path.name for path in run.layout.root.iterdir() if path.name[0] != ".") == [
            "manifest.json"
        ]
        run.work(state)
        with run.start(ONE, launch="x", overwrite=True) as other:
            assert other.resumed
            assert list(other.finished("ant")) == ["0"]
            run.work(other)
    assert run.files() == FILES
    with run.start(ONE, launch="x", overwrite=True) as state:  # late: all is done
        assert state.complete
    with run.start(ONE, launch="y", overwrite=True) as state:
        assert (state.resumed, state.finished("bear")) == (False, {})


def test_a_folder_in_use_is_not_cleared(run: Run) -> None:
    with run.start(ONE) as state:
        state.commit([run.make("bear", "0")])
        with pytest.raises(DeviceError, match="other shards may be writing"):
            run.start(TWO, launch="x", overwrite=True)
    assert run.layout.masks("bear", "0").exists()


def test_killed_while_clearing_a_shard_goes_on_clearing(run: Run) -> None:
    with run.start_whole() as whole:
        run.work(whole, FRAMES)
    content = json.loads(run.layout.manifest.read_text())
    run.layout.manifest.write_text(json.dumps({**content, "status": CLEARING}))
    with run.start(ONE) as state:
        assert (state.resumed, state.finished("bear")) == (False, {})


def test_a_full_disk_at_the_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with run.start(ONE) as state:
        run.work(state)
    with run.start(TWO) as state:
        rows = [run.make(video, frame) for video in ("ant", "cat") for frame in FRAMES[video]]
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", full)
            with pytest.raises(DeviceError, match="disk full"):
                state.finish(rows, 1.0)
    with run.start(TWO) as state:
        run.work(state)
        assert state.complete
    assert run.files() == FILES
