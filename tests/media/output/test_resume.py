"""A run is continued when it is the same run, refused when it is not, and cleared only on request."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vsodtool.errors import DataError, DeviceError, UsageError, VsodtoolError, WeightsError
from vsodtool.media.atomic import temporary_path, write_bytes_atomically
from vsodtool.media.output.frames_csv import read_frames_csv
from vsodtool.media.output.journal import Journal
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import CLEARING, Manifest, read_manifest, write_manifest
from vsodtool.media.output.resume import check_resumable, describe_run, start_or_resume
from vsodtool.types import FrameRecord, FrameStatus, MethodChoice

MakeInput = Callable[..., Any]
Snapshot = dict[str, bytes]
CONFIG = {"every": 5, "quality": "fast", "soft": False, "workers": 0, "inputs": ("in",), "seed": 0}


class Run:
    """A small run: two videos, one mask each."""

    def __init__(self, make_input: MakeInput, folder: Path) -> None:
        self.layout = OutputLayout(folder / "out")
        self.inputs = [make_input("bear", 3), make_input("cat")]
        self.masks: dict[str, list[Path]] = {}
        for video in self.inputs:
            path = folder / "masks" / video.name / "00000.png"
            write_bytes_atomically(path, b"mask of " + video.name.encode())
            self.masks[video.name] = [path]
        self.config: dict[str, object] = dict(CONFIG)
        self.weights = {"raft": "0123" * 16}

    def describe(self, command: str = "pseudolabel") -> Manifest:
        return describe_run(command, self.config, self.inputs, self.masks, self.weights)

    def start(self, **options: Any) -> Any:
        return start_or_resume(self.layout, self.describe(), **options)

    def make(self, video: str, frame: str) -> FrameRecord:
        write_bytes_atomically(self.layout.masks(video, frame), f"{video} {frame}".encode())
        return FrameRecord(video, frame, FrameStatus.GENERATED, "", "", 0.5)

    def complete(self) -> None:
        with self.start() as state:
            rows = [self.make("bear", "00000"), self.make("bear", "00001"), self.make("cat", "00000")]
            state.journal.commit(rows)
            state.finish(rows, 1.0)

    def outputs_of(self, record: FrameRecord) -> Iterable[Path]:
        return [self.layout.masks(record.video, record.frame)]


@pytest.fixture
def run(make_input: MakeInput, tmp_path: Path) -> Run:
    return Run(make_input, tmp_path)


def snapshot(folder: Path) -> Snapshot:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_first_run(run: Run) -> None:
    with run.start() as state:
        assert (state.resumed, state.complete, state.finished("bear")) == (False, False, {})
        content = json.loads(run.layout.manifest.read_text())
        assert content["status"] == "running"
        row = run.make("bear", "00000")
        state.journal.commit([row])
        manifest = state.finish([row], 1.5)
    assert manifest.status == "complete"
    assert manifest.videos["bear"]["generated"] == 1
    assert read_manifest(run.layout.manifest) == manifest
    assert read_frames_csv(run.layout.frames_csv) == [row]
    assert sorted(snapshot(run.layout.root)) == ["frames.csv", "manifest.json", "masks/bear/00000.png"]


def test_an_interrupted_run_is_continued(run: Run) -> None:
    def interrupted() -> None:
        with run.start() as state:
            state.journal.commit([run.make("bear", "00000")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with run.start(outputs_of=run.outputs_of) as state:
        assert (state.resumed, state.complete) == (True, False)
        assert list(state.finished("bear")) == ["00000"]
        assert state.finished("cat") == {}


def test_a_frame_that_lost_its_file_is_made_again(run: Run) -> None:
    with run.start() as state:
        state.journal.commit([run.make("bear", "00000"), run.make("bear", "00001")])
    run.layout.masks("bear", "00001").unlink()
    with run.start(outputs_of=run.outputs_of) as state:
        assert list(state.finished("bear")) == ["00000"]


def test_a_complete_run_is_left_as_it_is(run: Run) -> None:
    run.complete()
    before = snapshot(run.layout.root)
    with run.start(outputs_of=run.outputs_of) as state:
        assert (state.resumed, state.complete) == (True, True)
        assert list(state.finished("bear")) == ["00000", "00001"]
        assert state.manifest.seconds == 1.0
    assert snapshot(run.layout.root) == before


def test_a_complete_run_that_lost_a_file_is_mended_even_through_a_kill(run: Run) -> None:
    run.complete()
    before = snapshot(run.layout.root)
    run.layout.masks("bear", "00001").unlink()
    for _ in range(2):  # the second time as if the first had been killed before it committed
        with run.start(outputs_of=run.outputs_of) as state:
            assert not state.complete
            assert list(state.finished("bear")) == ["00000"]
            assert list(state.finished("cat")) == ["00000"]
    with run.start(outputs_of=run.outputs_of) as state:
        state.journal.commit([run.make("bear", "00001")])
    with run.start(outputs_of=run.outputs_of) as state:
        rows = [*state.finished("bear").values(), *state.finished("cat").values()]
        assert len(rows) == 3
        state.finish(rows, 1.0)
    assert snapshot(run.layout.root) == before


def test_a_choice_holds_through_kills_completion_and_mending(run: Run) -> None:
    choice = MethodChoice("warp", ["00001"], {"warp": 0.75}, "best there")
    with run.start() as state:
        assert state.choice("bear") is None
        state.choose("bear", choice)
    with run.start() as state:
        assert (state.choice("bear"), state.choice("cat")) == (choice, None)
        assert state.finish([run.make("bear", "00000")], 1.0).choices == {"bear": choice}
    run.layout.masks("bear", "00000").unlink()
    for _ in range(2):  # begun to mend, and killed
        with run.start(outputs_of=run.outputs_of) as state:
            assert not state.complete
            assert state.choice("bear") == choice
    with run.start(outputs_of=run.outputs_of) as state:
        assert state.finish([run.make("bear", "00000")], 1.0).choices == {"bear": choice}
    with run.start(overwrite=True) as state:
        assert state.choice("bear") is None
    written = read_manifest(run.layout.manifest)
    assert written is not None
    assert written.choices == {}


def test_another_order_of_inputs_is_the_same_run(run: Run) -> None:
    run.complete()
    run.inputs.reverse()
    run.config["inputs"] = ("in/cat.mp4", "in/bear")
    with run.start() as state:
        assert state.complete


@pytest.mark.parametrize("name", ["workers", "quiet", "json", "dry_run", "overwrite"])
def test_options_without_influence_are_not_compared(run: Run, name: str) -> None:
    run.complete()
    run.config[name] = "another"
    with run.start() as state:
        assert state.complete


def set_config(**values: object) -> Callable[[Run], None]:
    return lambda run: run.config.update(values)


def drop_option(run: Run) -> None:
    del run.config["quality"]


def change_frame(run: Run) -> None:
    path = run.inputs[0].files[1]
    path.write_bytes(path.read_bytes() + b"!")


def touch_video(run: Run) -> None:
    os.utime(run.inputs[1].path, ns=(1, 1))


def drop_video(run: Run) -> None:
    run.inputs.pop()


def add_video(run: Run) -> None:
    run.inputs.append(replace(run.inputs[1], name="dog"))


def change_mask(run: Run) -> None:
    run.masks["cat"][0].write_bytes(b"another mask")


def add_mask(run: Run) -> None:
    write_bytes_atomically(run.masks["cat"][0].with_name("00005.png"), b"x")
    run.masks["cat"].append(run.masks["cat"][0].with_name("00005.png"))


def change_weights(run: Run) -> None:
    run.weights["raft"] = "4567" * 16


CHANGES: list[tuple[Callable[[Run], None], type[VsodtoolError], str]] = [
    (set_config(quality="best"), UsageError, r"option --quality changed: .*'fast'.*'best'"),
    (set_config(soft=True), UsageError, r"option --soft changed: .*False.*True"),
    (set_config(every=10), UsageError, "option --every changed: .*5, now it is 10"),
    (set_config(clip_length=4), UsageError, "option --clip-length changed: .*with not set, now it is 4"),
    (drop_option, UsageError, "option --quality changed: .*now it is not set"),
    (change_frame, DataError, "the video 'bear' .* has changed"),
    (touch_video, DataError, "the video 'cat' .* has changed"),
    (drop_video, DataError, "the video 'cat', which is not among the inputs now"),
    (add_video, DataError, "without the video 'dog'"),
    (change_mask, DataError, "masks of 'cat' changed"),
    (add_mask, DataError, r"masks of 'cat' changed .*then 1, now 2"),
    (change_weights, WeightsError, "weights 'raft' changed: .*012301230123, now 456745674567"),
]


@pytest.mark.parametrize(("change", "kind", "words"), CHANGES)
@pytest.mark.parametrize("finished", [True, False])
def test_a_changed_run_is_refused_and_overwrite_begins_anew(
    run: Run, change: Callable[[Run], None], kind: type[VsodtoolError], words: str, finished: bool
) -> None:
    if finished:
        run.complete()
    else:
        with run.start() as state:
            state.journal.commit([run.make("bear", "00000")])
    before = snapshot(run.layout.root)
    change(run)
    with pytest.raises(kind, match=words) as caught:
        run.start()
    assert "--overwrite" in caught.value.hint
    assert snapshot(run.layout.root) == before
    with run.start(overwrite=True) as state:
        assert (state.resumed, state.complete, state.finished("bear")) == (False, False, {})
        assert sorted(snapshot(run.layout.root)) == [".vsodtool.lock", "manifest.json"]


def test_another_command_or_version_is_refused(run: Run) -> None:
    run.complete()
    with pytest.raises(UsageError, match="command 'pseudolabel', this is 'flow'"):
        start_or_resume(run.layout, run.describe("flow"))
    content = json.loads(run.layout.manifest.read_text())
    run.layout.manifest.write_text(json.dumps({**content, "version": "9.9", "future": 1}))
    with pytest.raises(UsageError, match=r"begun by vsodtool 9\.9"):
        run.start()
    run.start(overwrite=True).close()


def test_overwrite_deletes_only_what_the_tool_writes(run: Run) -> None:
    run.complete()
    mine = ["notes.txt", "masks/bear/notes.txt", "masks/readme.md", "photos/00000.png", "overlay/film.mkv"]
    for name in mine:
        write_bytes_atomically(run.layout.root / name, b"mine")
    outside = run.layout.root.parent / "outside"
    write_bytes_atomically(outside / "00000.png", b"mine")
    (run.layout.root / "masks" / "linked").symlink_to(outside)
    write_bytes_atomically(run.layout.overlay("bear"), b"film")
    run.start(overwrite=True).close()
    assert sorted(snapshot(run.layout.root)) == sorted([*mine, "manifest.json"])
    assert (outside / "00000.png").exists()
    assert sorted(path.name for path in (run.layout.root / "masks").iterdir()) == [
        "bear",
        "linked",
        "readme.md",
    ]


def test_overwrite_takes_emptied_folders_away(run: Run) -> None:
    run.complete()
    flow = run.layout.flow("bear", "00000", "forward", "flo")
    write_bytes_atomically(flow, b"flow")
    (run.layout.root / "soft").mkdir()
    run.start(overwrite=True).close()
    assert sorted(path.name for path in run.layout.root.iterdir()) == ["manifest.json", "soft"]


def test_overwrite_through_a_linked_folder_keeps_the_link(run: Run, tmp_path: Path) -> None:
    (tmp_path / "large disk").mkdir()
    run.layout.root.mkdir()
    (run.layout.root / "masks").symlink_to(tmp_path / "large disk")
    run.complete()
    assert (tmp_path / "large disk" / "bear" / "00000.png").exists()
    run.start(overwrite=True).close()
    assert (run.layout.root / "masks").is_symlink()
    assert list((tmp_path / "large disk").iterdir()) == []


@pytest.mark.parametrize("name", ["masks/bear/00000.png", "frames.csv", "soft/x", "journal.jsonl"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_is_not_ours_is_never_touched(run: Run, name: str, overwrite: bool) -> None:
    write_bytes_atomically(run.layout.root / name, b"precious")
    ours = name.partition("/")[0]
    with pytest.raises(UsageError, match=f"{ours} exists and was not written by vsodtool"):
        run.start(overwrite=overwrite)
    assert snapshot(run.layout.root) == {name: b"precious"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_foreign_manifest_is_never_touched(run: Run, overwrite: bool) -> None:
    write_bytes_atomically(run.layout.manifest, b'{"name": "web app"}')
    with pytest.raises(UsageError, match="was not written by vsodtool"):
        run.start(overwrite=overwrite)
    assert run.layout.manifest.read_bytes() == b'{"name": "web app"}'


def test_a_folder_with_other_files_is_fine(run: Run) -> None:
    write_bytes_atomically(run.layout.root / "notes.txt", b"mine")
    with run.start() as state:
        assert not state.resumed
    assert (run.layout.root / "notes.txt").read_bytes() == b"mine"


def test_leftovers_of_a_killed_run_are_removed(run: Run) -> None:
    run.complete()
    for path in (run.layout.manifest, run.layout.masks("bear", "00000"), run.layout.overlay("cat")):
        path.parent.mkdir(exist_ok=True)
        temporary_path(path).write_bytes(b"half")
    run.start().close()
    assert not [name for name in snapshot(run.layout.root) if name.endswith(".tmp")]


def test_killed_while_clearing_goes_on_clearing(run: Run) -> None:
    run.complete()
    write_manifest(run.layout.manifest, replace(run.describe(), status=CLEARING))
    run.config["quality"] = "best"
    with run.start() as state:
        assert (state.resumed, state.finished("bear")) == (False, {})
        assert sorted(snapshot(run.layout.root)) == [".vsodtool.lock", "manifest.json"]


def test_two_runs_at_once_are_noticed(run: Run) -> None:
    with run.start() as state:
        state.journal.commit([run.make("bear", "00000")])
        for overwrite in (False, True):
            with pytest.raises(DeviceError, match="another run"):
                run.start(overwrite=overwrite)
    run.start().close()


def test_a_refusal_gives_the_folder_back(run: Run) -> None:
    run.complete()
    run.config["every"] = 7
    for _ in range(2):
        with pytest.raises(UsageError, match="--every"):
            run.start()


def test_a_dry_check_writes_nothing(run: Run) -> None:
    assert check_resumable(run.layout, run.describe()) is None
    assert not run.layout.root.exists()
    run.complete()
    before = snapshot(run.layout.root)
    found = check_resumable(run.layout, run.describe())
    assert found is not None
    assert found.status == "complete"
    run.config["every"] = 7
    with pytest.raises(UsageError, match="--every"):
        check_resumable(run.layout, run.describe())
    assert check_resumable(run.layout, run.describe(), overwrite=True) is not None
    assert snapshot(run.layout.root) == before


def test_a_full_disk_at_the_start_and_at_the_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(DeviceError, match="disk full"):
            run.start()
    with run.start() as state:
        row = run.make("bear", "00000")
        state.journal.commit([row])
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", full)
            with pytest.raises(DeviceError, match="disk full"):
                state.finish([row], 1.0)
    with run.start() as state:
        assert (state.resumed, state.complete) == (True, False)
        assert list(state.finished("bear")) == ["00000"]


def test_a_read_only_disk(run: Run, mount_tmpfs: Callable[[str], Path]) -> None:
    run.layout = OutputLayout(mount_tmpfs("ro") / "out")
    with pytest.raises(DeviceError, match="not writable"):
        run.start()


def test_a_run_killed_before_its_journal_went_is_complete(run: Run) -> None:
    run.complete()
    whole = snapshot(run.layout.root)
    row = read_frames_csv(run.layout.frames_csv)[0]
    journal = Journal(run.layout.journal)
    journal.commit([row])
    journal.close()
    with run.start() as state:
        assert state.complete
        state.journal.commit([])
    assert snapshot(run.layout.root) == whole


WORKER = """
import sys
from pathlib import Path
from types import SimpleNamespace
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.resume import describe_run, start_or_resume
from vsodtool.types import FrameRecord, FrameStatus

layout, video = OutputLayout(Path(sys.argv[1])), SimpleNamespace(name="v", path=Path(sys.argv[2]), files=())
manifest = describe_run("test", {"a": 1}, [video], {})
outputs_of = lambda record: [layout.masks("v", record.frame)]
print("ready", flush=True)
with start_or_resume(layout, manifest, outputs_of=outputs_of) as state:
    rows = state.finished("v")
    for number in range(300):
        name = f"{number:05d}"
        if name not in rows:
            write_bytes_atomically(layout.masks("v", name), bytes([number % 256]) * 50_000)
            rows[name] = FrameRecord("v", name, FrameStatus.GENERATED, "", "", number / 300)
            state.journal.commit([rows[name]])
    if not state.complete:
        state.finish([rows[name] for name in sorted(rows)], 0.0)
"""


def test_killed_at_random_moments_the_result_is_the_same(tmp_path: Path) -> None:
    video = tmp_path / "v.mp4"
    video.write_bytes(b"v")

    def work(out: Path) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WORKER, str(out), str(video)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        return process

    assert work(tmp_path / "whole").wait() == 0
    chance = random.Random(0)
    for _ in range(6):
        process = work(tmp_path / "killed")
        time.sleep(chance.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.wait()
        for path in (tmp_path / "killed").glob("masks/v/*.png"):
            assert path.stat().st_size == 50_000
    assert work(tmp_path / "killed").wait() == 0
    assert snapshot(tmp_path / "killed") == snapshot(tmp_path / "whole")
