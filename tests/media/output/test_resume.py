"""A run is continued when it is the same run, refused when it is not, and cleared only on request."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.media.output.small_run import Run, snapshot
from vsodtool.errors import DataError, DeviceError, UsageError, VsodtoolError, WeightsError
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.resume import check_resumable, start_or_resume


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


def test_a_complete_run_is_left_as_it_is(run: Run) -> None:
    run.complete()
    before = snapshot(run.layout.root)
    with run.start(outputs_of=run.outputs_of) as state:
        assert (state.resumed, state.complete) == (True, True)
        assert list(state.finished("bear")) == ["00000", "00001"]
        assert state.manifest.seconds == 1.0
    assert snapshot(run.layout.root) == before


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


def test_a_read_only_disk(run: Run, mount_tmpfs: Callable[[str], Path]) -> None:
    run.layout = OutputLayout(mount_tmpfs("ro") / "out")
    with pytest.raises(DeviceError, match="not writable"):
        run.start()


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
