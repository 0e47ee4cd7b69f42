"""`suggest`: exact pictures under the names that `--masks` matches, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsodtool.config import PseudoLabelConfig, SuggestConfig
from vsodtool.errors import DataError, DeviceError, UsageError
from vsodtool.media.images import read_rgb, write_png
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.pipelines.suggest import SuggestReport, run_suggest
from vsodtool.types import Event

Film = Callable[..., Any]


@pytest.fixture
def clip(film: Film) -> Any:
    return film([(2, 1)] * 20)


@pytest.fixture
def video(clip: Any, tmp_path: Path) -> Path:
    path: Path = clip.write_video(tmp_path / "clip.mp4")
    return path


def suggest(*inputs: Path, events: list[Event] | None = None, **options: Any) -> SuggestReport:
    heard: list[Event] = [] if events is None else events
    return run_suggest(
        SuggestConfig(
            inputs=tuple(map(str, inputs)), **{key: _plain(value) for key, value in options.items()}
        ),
        on_event=heard.append,
    )


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def test_the_pictures_are_the_frames_as_they_are_decoded(video: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    report = suggest(video, number=4, export=tmp_path / "todo", events=events)
    assert [each.video for each in report.suggestions] == ["clip"] * 4
    frames = {frame.name: frame for frame in open_frames(discover_videos([str(video)])[0])}
    for each in report.suggestions:
        assert frames[each.frame].index == each.index
        assert each.time == pytest.approx(each.index / 25, abs=1e-3)
        written = read_rgb(tmp_path / "todo" / "images" / "clip" / f"{each.frame}.png")
        np.testing.assert_array_equal(written, frames[each.frame].rgb)
    assert len(list((tmp_path / "todo").rglob("*.png"))) == 4
    assert (report.videos, report.frames, report.version) == (1, 21, 1)
    assert f"--masks {tmp_path / 'todo' / 'masks'}" in events[-1].message


def test_masks_under_these_names_are_those_of_these_frames(
    video: Path, clip: Any, exact: Any, tmp_path: Path
) -> None:
    report = suggest(video, every=7, export=tmp_path / "todo")
    for each in report.suggestions:
        mask = np.where(clip.truth[each.index] > 0, 255, 0).astype(np.uint8)
        write_png(tmp_path / "todo" / "masks" / "clip" / f"{each.frame}.png", mask)
    config = PseudoLabelConfig(
        inputs=(str(video),), masks=tmp_path / "todo" / "masks", output=tmp_path / "out", method="warp"
    )
    done = run_pseudolabel(config, estimator=exact)
    assert done.videos[0].given == len(report.suggestions) == 3


def test_a_second_run_changes_nothing_and_another_picture_is_kept(video: Path, tmp_path: Path) -> None:
    todo = tmp_path / "todo"
    first = suggest(video, number=3, export=todo)
    path = todo / "images" / "clip" / f"{first.suggestions[1].frame}.png"
    before = path.stat().st_mtime_ns
    assert suggest(video, number=3, export=todo) == first
    assert path.stat().st_mtime_ns == before
    write_png(path, np.zeros((5, 5, 3), np.uint8))
    with pytest.raises(UsageError, match="exists and is another picture"):
        suggest(video, number=3, export=todo)
    assert read_rgb(path).shape == (5, 5, 3)
    suggest(video, number=3, export=todo, overwrite=True)
    assert read_rgb(path).shape != (5, 5, 3)


def test_names_that_differ_in_case_are_refused_where_the_disk_knows_none(
    clip: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = [clip.write_folder(tmp_path / name / each) for name, each in (("a", "Cat"), ("b", "cat"))]
    suggest(*videos, number=1, export=tmp_path / "todo")
    monkeypatch.setattr("vsodtool.media.case.folds_case", lambda _: True)
    suggest(*videos, number=1)
    with pytest.raises(UsageError, match="the videos 'Cat' and 'cat' differ only in case"):
        suggest(*videos, number=1, export=tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_without_export_nothing_is_written(video: Path, tmp_path: Path) -> None:
    with_pictures = suggest(video, number=3, export=tmp_path / "todo")
    assert suggest(video, number=3).suggestions == with_pictures.suggestions
    dry = suggest(video, number=3, export=tmp_path / "dry", dry_run=True)
    assert dry.suggestions == with_pictures.suggestions
    assert not (tmp_path / "dry").exists()


def test_several_videos_and_a_folder_of_frames(clip: Any, video: Path, tmp_path: Path) -> None:
    folder = clip.write_folder(tmp_path / "frames")
    report = suggest(video, folder, frames="clip/3,frames/00009", export=tmp_path / "todo")
    assert [(each.video, each.frame) for each in report.suggestions] == [
        ("clip", "00003"),
        ("frames", "00009"),
    ]
    assert (tmp_path / "todo" / "images" / "frames" / "00009.png").is_file()


def test_frames_that_do_not_decode_are_told(clip: Any, tmp_path: Path) -> None:
    folder = clip.write_folder(tmp_path / "clip")
    (folder / "00005.png").write_bytes(b"broken")
    events: list[Event] = []
    report = suggest(folder, frames="5,9", export=tmp_path / "todo", events=events)
    assert [each.index for each in report.suggestions] == [9]
    assert any(event.kind == "warning" and "00005" in event.message for event in events)
    assert report.losses == [event.message for event in events if event.kind == "warning"]
    assert suggest(folder, number=3, export=tmp_path / "spread").losses == []  # neighbours will do
    with pytest.raises(DataError, match="none of the 1 frames to draw on decodes"):
        suggest(folder, frames="5", export=tmp_path / "other")


def test_a_folder_that_cannot_be_written_to_is_refused_first(clip: Any, tmp_path: Path) -> None:
    folder = clip.write_folder(tmp_path / "clip")
    with pytest.raises(UsageError, match="lies inside"):
        suggest(folder, export=folder / "todo")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="is not a folder"):
        suggest(folder, export=tmp_path / "file")
    with pytest.raises(DeviceError, match="not writable"):
        suggest(folder, export=tmp_path / "file" / "below")


def test_no_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found nothing there"):
        suggest(tmp_path / "nothing.mp4")


def test_every_shot_gets_a_picture(film: Film, tmp_path: Path) -> None:
    folder = film([(2, 1)] * 11).write_folder(tmp_path / "clip")
    other = film([(1, 0)] * 29, start=(20, 10)).write_folder(tmp_path / "other")
    for index in range(30):
        (other / f"{index:05d}.png").rename(folder / f"{12 + index:05d}.png")
    listed = tmp_path / "cuts.txt"
    listed.write_text("clip 00012\n")
    events: list[Event] = []
    report = suggest(folder, number=2, cuts=str(listed), events=events)
    first, second = report.suggestions
    assert first.index < 12 <= second.index
    assert any(event.message == "clip: 2 shots, cut at 00012" for event in events)
    alone = suggest(folder, number=2, cuts="none")
    assert [each.index for each in alone.suggestions] != [first.index, second.index]
