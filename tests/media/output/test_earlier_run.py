"""What an earlier run left counts where it is still as it was written."""

from __future__ import annotations

import pytest

from tests.media.output.small_run import Masks, Run, mask_png, snapshot
from vsodtool.media.output.tables.frames_csv import read_frames_csv


def test_a_frame_that_lost_its_file_is_made_again(run: Run) -> None:
    with run.start() as state:
        state.commit([run.make("bear", "00000"), run.make("bear", "00001")])
    run.layout.masks("bear", "00001").unlink()
    with run.start(outputs_of=run.outputs_of) as state:
        assert list(state.finished("bear")) == ["00000"]


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


@pytest.mark.parametrize("data", [b"", mask_png(255)[:40], b"x" * 100, mask_png(0, (8, 11))])
def test_a_damaged_mask_is_made_again(masks: Masks, data: bytes) -> None:
    masks.complete()
    masks.layout.masks("bear", "00001").write_bytes(data)
    with masks.start() as state:
        assert (state.complete, state.edits) == (False, [])
        assert list(state.finished("bear")) == ["00000"]


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
