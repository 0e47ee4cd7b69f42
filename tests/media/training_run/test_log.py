from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from vsodtool.errors import DeviceError
from vsodtool.media.training_run.log import RunLog, read_log


def write(path: Path, steps: range, keep: int = -1) -> None:
    log = RunLog(path, keep=keep)
    for step in steps:
        log.write("step", step=step, loss=1 / (step + 1))
    log.close()


def test_lines_about_steps_that_are_done_again_go(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write(path, range(1, 9))
    write(path, range(6, 8), keep=5)
    assert [record["step"] for record in read_log(path)] == [1, 2, 3, 4, 5, 6, 7]


def test_a_new_run_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write(path, range(3))
    write(path, range(1))
    assert len(read_log(path)) == 1


def test_a_line_cut_off_by_a_kill_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write(path, range(1, 4))
    path.write_bytes(path.read_bytes()[:-5])
    write(path, range(3, 4), keep=9)
    assert [record["step"] for record in read_log(path)] == [1, 2, 3]
    assert path.read_bytes().endswith(b"}\n")


class Full:
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = RunLog(tmp_path / "log.jsonl", keep=-1)
    log.close()
    monkeypatch.setattr(log, "_file", Full())
    with pytest.raises(DeviceError, match="disk full"):
        log.write("step", step=1)


@pytest.mark.parametrize(
    "line", ['{"step": "x"}', '{"step": null}', '{"step": 1e999}', "[" * 100_000, "5", "{"]
)
def test_lines_that_make_no_sense_are_left_out(tmp_path: Path, line: str) -> None:
    path = tmp_path / "log.jsonl"
    write(path, range(1, 4))
    path.write_text(f"{line}\n{path.read_text()}")
    write(path, range(4, 5), keep=3)
    assert [record["step"] for record in read_log(path)] == [1, 2, 3, 4]
