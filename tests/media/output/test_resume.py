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

import numpy as np
import pytest

from vsodtool.errors import DataError, DeviceError, UsageError, VsodtoolError, WeightsError
from vsodtool.media.atomic import temporary_path, write_bytes_atomically
from vsodtool.media.masks.plane_png import encode_plane_png
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
        options = {"outputs_of": self.outputs_of, **options}
        return start_or_resume(self.layout, self.describe(), **options)

    def make(self, video: str, frame: str) -> FrameRecord:
        write_bytes_atomically(self.layout.masks(video, frame), f"{video} {frame}".encode())
        return FrameRecord(video, frame, FrameStatus.GENERATED, "", "", 0.5)

    def complete(self) -> None:
        with self.start() as state:
            rows = [self.make("bear", "00000"), self.make("bear", "00001"), self.make("cat", "00000")]
            state.commit(rows)
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
        state.commit([row])
        manifest = state.finish([row], 1.5)
    assert manifest.status == "complete"
    assert manifest.videos["bear"]["generated"] == 1
    assert read_manifest(run.layout.manifest) == manifest
    assert read_frames_csv(run.layout.frames_csv) == [row]
    names = ["frames.csv", "manifest.json", "masks/bear/00000.png", "written.jsonl"]
    assert sorted(snapshot(run.layout.root)) == names


def test_an_interrupted_run_is_continued(run: Run) -> None:
    def interrupted() -> None:
        with run.start() as state:
            state.commit([run.make("bear", "00000")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with run.start(outputs_of=run.outputs_of) as state:
        assert (state.resumed, state.complete) == (True, False)
        assert list(state.finished("bear")) == ["00000"]
        assert state.finished("cat") == {}


def test_a_frame_that_lost_its_file_is_made_again(run: Run) -> None:
    with run.start() as state:
        state.commit([run.make("bear", "00000"), run.make("bear", "00001")])
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
        state.commit([run.make("bear", "00001")])
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
            state.commit([run.make("bear", "00000")])
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


def test_overwrite_deletes_only_what_the_tool_wrote(run: Run) -> None:
    run.complete()
    mine = ["notes.txt", "masks/bear/notes.txt", "masks/readme.md", "photos/00000.png", "overlay/film.mp4"]
    mine += ["masks/bear/corrected-by-hand.png", "masks/other/00000.png", "flow/my.flo"]
    for name in mine:
        write_bytes_atomically(run.layout.root / name, b"mine")
    outside = run.layout.root.parent / "outside"
    write_bytes_atomically(outside / "00000.png", b"mine")
    (run.layout.root / "masks" / "linked").symlink_to(outside)
    run.start(overwrite=True).close()
    assert sorted(snapshot(run.layout.root)) == sorted([*mine, "manifest.json"])
    assert (outside / "00000.png").exists()
    assert (run.layout.root / "masks" / "linked").is_symlink()


def test_overwrite_takes_emptied_folders_away(run: Run) -> None:
    flow = run.layout.flow("bear", "00000", "forward", "flo")
    with run.start() as state:
        write_bytes_atomically(flow, b"flow")
        state.wrote([flow])
    (run.layout.root / "soft").mkdir()
    run.start(overwrite=True).close()
    assert sorted(path.name for path in run.layout.root.iterdir()) == ["manifest.json", "soft"]


@pytest.mark.parametrize("name", ["masks", "masks/bear", "flow/bear/forward"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_folders_that_are_links_are_refused(run: Run, tmp_path: Path, name: str, overwrite: bool) -> None:
    run.complete()
    precious = tmp_path / "precious"
    write_bytes_atomically(precious / "00000.png", b"precious")
    folder = run.layout.root / name
    if folder.is_dir():
        folder.rename(run.layout.root / "aside")
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(precious)
    with pytest.raises(DataError, match="found a link to"):
        run.start(overwrite=overwrite)
    assert snapshot(precious) == {"00000.png": b"precious"}


@pytest.mark.parametrize("name", [".vsodtool.lock", "journal.jsonl"])
@pytest.mark.parametrize("link", ["soft", "hard"])
def test_state_files_that_are_links_are_refused(run: Run, tmp_path: Path, name: str, link: str) -> None:
    run.complete()
    precious = tmp_path / "precious.txt"
    precious.write_bytes(b"precious")
    path = run.layout.root / name
    if link == "soft":
        path.symlink_to(precious)
    else:
        path.hardlink_to(precious)
    for overwrite in (False, True):
        with pytest.raises(DataError, match="expected a file of the tool's own"):
            run.start(overwrite=overwrite)
    assert precious.read_bytes() == b"precious"


def test_a_lock_that_is_somebodys_file_is_not_emptied(run: Run) -> None:
    run.complete()
    run.layout.lock.write_bytes(b"notes about locks")
    with pytest.raises(DataError, match="expected a lock of the tool's own"):
        run.start()
    assert run.layout.lock.read_bytes() == b"notes about locks"


def mask_png(value: int, size: tuple[int, int] = (8, 10)) -> bytes:
    return encode_plane_png(np.full(size, value, np.uint8))


class Masks(Run):
    """The same run with masks that are pictures."""

    def make(self, video: str, frame: str) -> FrameRecord:
        write_bytes_atomically(self.layout.masks(video, frame), mask_png(255))
        return FrameRecord(video, frame, FrameStatus.GENERATED, "", "", 0.5)


@pytest.fixture
def masks(make_input: MakeInput, tmp_path: Path) -> Masks:
    return Masks(make_input, tmp_path)


def test_an_edited_mask_is_finished_and_named(masks: Masks) -> None:
    masks.complete()
    edited = masks.layout.masks("bear", "00001")
    edited.write_bytes(mask_png(0))
    for _ in range(2):
        with masks.start() as state:
            assert (state.complete, state.edits) == (True, [edited])
    assert edited.read_bytes() == mask_png(0)


@pytest.mark.parametrize("data", [b"", mask_png(255)[:40], b"x" * 100, mask_png(0, (8, 11))])
def test_a_damaged_mask_is_made_again(masks: Masks, data: bytes) -> None:
    masks.complete()
    masks.layout.masks("bear", "00001").write_bytes(data)
    with masks.start() as state:
        assert (state.complete, state.edits) == (False, [])
        assert list(state.finished("bear")) == ["00000"]


def test_overwrite_moves_edited_masks_to_the_corrections_first(masks: Masks) -> None:
    for value in (1, 2):  # the second time there is a correction already
        masks.complete()
        masks.layout.masks("bear", "00001").write_bytes(mask_png(value))
        with masks.start(overwrite=True) as state:
            assert state.moved == [masks.layout.correction("bear", "00001")]
            assert state.finished("bear") == {}
        assert masks.layout.correction("bear", "00001").read_bytes() == mask_png(value)
    kept = masks.layout.corrections / ".earlier" / "bear" / "00001.1.png"
    assert kept.read_bytes() == mask_png(1)


@pytest.mark.parametrize("damage", ["rows", "gone", "text", "confidence"])
def test_a_damaged_table_is_written_again(run: Run, damage: str) -> None:
    run.complete()
    table = run.layout.frames_csv
    whole = table.read_text()
    rows = read_frames_csv(table)
    if damage == "gone":
        table.unlink()
    else:
        shorter = "".join(whole.splitlines(keepends=True)[:-1])
        table.write_text({"rows": shorter, "text": "x", "confidence": whole.replace("0.5", "0.6")}[damage])
    with run.start() as state:
        assert not state.complete
        assert len(state.finished("bear")) == 2
        state.finish(rows, 1.0)
    assert table.read_text() == whole


def test_rows_lost_from_all_lists_are_made_again(run: Run) -> None:
    run.complete()
    lines = run.layout.written.read_text().splitlines(keepends=True)
    run.layout.written.write_text("".join(line for line in lines if '"frame": "00001"' not in line))
    frames = {"bear": ["00000", "00001"], "cat": ["00000"]}
    with run.start(frames=frames) as state:
        assert not state.complete
        assert list(state.finished("bear")) == ["00000"]


def test_a_frame_that_did_not_decode_is_listed(run: Run) -> None:
    skipped = FrameRecord("bear", "00001", FrameStatus.SKIPPED, "", "", 0.0)
    with run.start(outputs_of=lambda _: []) as state:
        state.finish([skipped], 1.0)
    with run.start(outputs_of=lambda _: [], frames={"bear": ["00001"]}) as state:
        assert state.complete
        assert state.finished("bear") == {"00001": skipped}


def test_an_output_folder_that_was_moved_away_is_noticed(run: Run) -> None:
    with run.start() as state:
        state.commit([run.make("bear", "00000")])
        run.layout.root.rename(run.layout.root.with_name("elsewhere"))
        row = run.make("bear", "00001")
        for action in (lambda: state.commit([row]), lambda: state.finish([row], 1.0)):
            with pytest.raises(DeviceError, match="moved or deleted"):
                action()


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
        state.commit([run.make("bear", "00000")])
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
        state.commit([row])
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
        state.commit([])
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
            state.commit([rows[name]])
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
