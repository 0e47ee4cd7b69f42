"""What a worker elsewhere knows of the output folder, and what it tells instead of writing the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.errors import DeviceError
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.run_state import Known
from vsodtool.media.output.stamps import stamp
from vsodtool.pipelines.running.video_state import Chosen, CutsFound, Listed, Message, RemoteState, stamps
from vsodtool.types import FrameRecord, FrameStatus, MethodChoice

ONE = FrameRecord("clip", "0", FrameStatus.GENERATED, "", "", 0.5)


@pytest.fixture
def layout(tmp_path: Path) -> OutputLayout:
    layout = OutputLayout(tmp_path)
    for name in ("0", "1"):
        path = layout.masks("clip", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return layout


def test_finished_frames_are_told_with_the_stamps_of_their_files(layout: OutputLayout) -> None:
    told: list[Message] = []
    state = RemoteState(layout, Known(), lambda record: [layout.masks("clip", record.frame)], told.append)
    state.commit([ONE])
    assert told == [Listed([ONE], {"masks/clip/0.png": stamp(layout.masks("clip", "0"))})]
    assert state.finished("clip") == {}  # of the beginning: who began it asks once


def test_frames_without_files_and_files_without_frames(layout: OutputLayout) -> None:
    told: list[Message] = []
    state = RemoteState(layout, Known(), None, told.append)
    state.commit([ONE])
    state.wrote([layout.masks("clip", "1")])
    assert told == [Listed([ONE], {}), Listed([], stamps(layout, [layout.masks("clip", "1")]))]


def test_a_file_that_is_not_there_cannot_be_listed(layout: OutputLayout) -> None:
    state = RemoteState(layout, Known(), None, lambda _: None)
    with pytest.raises(DeviceError, match=r"gone\.png"):
        state.wrote([layout.masks("clip", "gone")])


def test_only_what_is_as_it_was_written_is_deleted(layout: OutputLayout) -> None:
    first, second = layout.overlay("a"), layout.overlay("b")
    first.parent.mkdir(parents=True)
    for path in (first, second):
        path.write_bytes(b"film")
    state = RemoteState(layout, Known(files=stamps(layout, [first, second])), None, lambda _: None)
    second.write_bytes(b"mine")
    assert (state.holds(first), state.holds(second), state.holds(layout.overlay("c"))) == (True, False, False)
    state.drop([first, second, layout.overlay("c")])
    assert (first.exists(), second.read_bytes()) == (False, b"mine")


def test_choices_and_cuts_hold_from_then_on_and_are_told_once(layout: OutputLayout) -> None:
    told: list[Message] = []
    before = MethodChoice("warp", [], {}, "before")
    state = RemoteState(layout, Known({"0": ONE}, before, [3], seconds=2.0), None, told.append)
    assert (state.choice("clip"), state.cuts("clip"), state.spent) == (before, [3], 2.0)
    assert state.finished("clip") == {"0": ONE}
    assert told == []
    after = MethodChoice("fgplg", [], {}, "after")
    state.choose("clip", after)
    state.settle_cuts("clip", (2, 5))
    assert (state.choice("clip"), state.cuts("clip")) == (after, [2, 5])
    assert told == [Chosen(after), CutsFound([2, 5])]
