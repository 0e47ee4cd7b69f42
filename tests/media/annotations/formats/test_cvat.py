"""CVAT's exports of tasks, jobs and projects, and what its tracks say about who is who."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.media.annotations.clips import Clip
from vsodtool.errors import DataError
from vsodtool.media.annotations.mapping import MatchRule, match_annotations
from vsodtool.media.annotations.model import ReadOptions
from vsodtool.media.annotations.reading import read_annotations

MASK = (
    '<mask frame="{frame}" keyframe="1" outside="0" occluded="0" rle="0, 4" left="{left}" top="1" '
    'width="2" height="2" z_order="0"/>'
)


def task(number: int, name: str, source: str, size: tuple[int, int]) -> str:
    return (
        f"<task><id>{number}</id><name>{name}</name><source>{source}</source>"
        f"<original_size><width>{size[1]}</width><height>{size[0]}</height></original_size></task>"
    )


def xml(meta: str, body: str) -> str:
    return f"<annotations><version>1.1</version><meta>{meta}</meta>{body}</annotations>"


def track(number: int, label: str, frames: list[int], *, task: int | None = None, left: int = 1) -> str:
    shapes = "".join(MASK.format(frame=frame, left=left) for frame in frames)
    of_task = f' task_id="{task}" subset="default"' if task is not None else ""
    return f'<track id="{number}" label="{label}" source="manual"{of_task}>{shapes}</track>'


def test_a_project_has_several_tasks_each_with_its_size_and_file(tmp_path: Path) -> None:
    tasks = task(7, "Monday", "walk.mp4", (8, 10)) + task(9, "Tuesday", "run.mp4", (6, 12))
    body = track(0, "dog", [0, 2], task=7) + track(1, "dog", [1, 3], task=9, left=9)
    path = tmp_path / "annotations.xml"
    path.write_text(xml(f"<project><name>p</name><tasks>{tasks}</tasks></project>", body), "utf-8")
    annotations = read_annotations(path)
    assert [(video.name, video.file) for video in annotations.videos] == [
        ("Monday", "walk.mp4"),
        ("Tuesday", "run.mp4"),
    ]
    # Inputs may be called like the tasks, or like the files that were uploaded.
    for first, second in (("Monday", "Tuesday"), ("walk", "run")):
        clips = [Clip(name=first), Clip(name=second, size=(6, 12))]
        found = match_annotations(annotations, clips, MatchRule()).videos
        assert [list(found[name].frames) for name in (first, second)] == [
            ["00000", "00002"],
            ["00001", "00003"],
        ]
        np.testing.assert_array_equal(
            np.argwhere(found[second].frames["00001"].shapes[0].draw((6, 12)))[0], [1, 9]
        )
    with pytest.raises(DataError, match="expected labels of 9x9 like the frame, found 12x6"):
        match_annotations(annotations, [Clip(name="walk"), Clip(name="run", size=(9, 9))], MatchRule())


def test_a_job_has_no_name_and_is_about_the_one_input(tmp_path: Path) -> None:
    job = "<job><id>3</id><size>5</size><mode>interpolation</mode><labels></labels></job>"
    path = tmp_path / "annotations.xml"
    path.write_text(xml(job, track(0, "dog", [0, 2])), "utf-8")
    (video,) = read_annotations(path).videos
    assert video.name == ""
    found = match_annotations(read_annotations(path), [Clip(name="any")], MatchRule()).videos["any"]
    assert list(found.frames) == ["00000", "00002"]


def test_a_zip_of_several_exports(tmp_path: Path) -> None:
    path = tmp_path / "exports.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number, name in enumerate(("walk", "run")):
            text = xml(task(number, name, f"{name}.mp4", (8, 10)), track(0, "dog", [number]))
            file.writestr(f"task_{number}/annotations.xml", text)
    found = match_annotations(
        read_annotations(path), [Clip(name="walk"), Clip(name="run")], MatchRule()
    ).videos
    assert [list(found[name].frames) for name in ("walk", "run")] == [["00000"], ["00001"]]


def test_a_track_of_one_drawing_says_nothing_about_who_is_who(tmp_path: Path) -> None:
    path = tmp_path / "annotations.xml"
    body = track(4, "dog", [0]) + track(5, "dog", [2]) + track(6, "cat", [0, 2], left=5)
    path.write_text(xml(task(1, "clip", "", (8, 10)), body), "utf-8")
    (video,) = read_annotations(path).videos
    assert [[(shape.category, shape.track) for shape in frame.shapes] for frame in video.frames] == [
        [("dog", None), ("cat", "6")],
        [("dog", None), ("cat", "6")],
    ]


def test_a_tag_says_that_nothing_is_there_also_one_of_the_users_own(tmp_path: Path) -> None:
    images = "".join(
        f'<image id="{number}" name="frame_{number:06d}" width="10" height="8"><tag label="{label}"/></image>'
        for number, label in enumerate(("No_object", "leer", "sunny"))
    )
    path = tmp_path / "annotations.xml"
    path.write_text(xml(task(1, "clip", "", (8, 10)), images), "utf-8")
    assert [frame.empty for frame in read_annotations(path).videos[0].frames] == [True, False, False]
    own = ReadOptions(empty_tags=(*ReadOptions().empty_tags, "leer"))
    assert [frame.empty for frame in read_annotations(path, options=own).videos[0].frames] == [
        True,
        True,
        False,
    ]


def test_jobs_that_overlap_say_the_same_or_are_refused(tmp_path: Path) -> None:
    image = '<image id="0" name="a.png" width="10" height="8">{shapes}</image>'
    mask = MASK.format(frame=0, left=1).replace("<mask ", '<mask label="dog" ')
    path = tmp_path / "annotations.xml"
    path.write_text(xml(task(1, "clip", "", (8, 10)), image.format(shapes=mask) * 2), "utf-8")
    assert len(read_annotations(path).videos[0].frames) == 1
    path.write_text(
        xml(task(1, "clip", "", (8, 10)), image.format(shapes=mask) + image.format(shapes="")), "utf-8"
    )
    with pytest.raises(DataError, match=r"image 'a\.png': expected one entry for an image, or equal ones"):
        read_annotations(path)


def test_tracks_over_images_mean_frames_only_if_the_images_are_all_of_them(tmp_path: Path) -> None:
    """They have no names, and the places of five stills in a task are not the first five frames."""
    path = tmp_path / "annotations.xml"
    clip = Clip(name="clip")
    for count in (5, 3):
        meta = f"<task><name>clip</name><size>{count}</size><mode>annotation</mode></task>"
        path.write_text(xml(meta, track(0, "dog", [0, 2])), "utf-8")
        if count == len(clip.names):
            found = match_annotations(read_annotations(path), [clip], MatchRule()).videos["clip"]
            assert list(found.frames) == ["00000", "00002"]
        else:
            with pytest.raises(DataError, match="expected labels of 5 frames like clip, found 3"):
                match_annotations(read_annotations(path), [clip], MatchRule())


def test_images_of_some_frames_are_found_by_their_names_not_their_places_in_the_task(tmp_path: Path) -> None:
    mask = '<mask label="dog" rle="0, 4" left="1" top="1" width="2" height="2" z_order="0"/>'
    body = "".join(
        f'<image id="{place}" name="{number:05d}.png" width="10" height="8">{mask}</image>'
        for place, number in enumerate((1, 2, 4))
    )
    path = tmp_path / "annotations.xml"
    path.write_text(xml("", body), "utf-8")
    found = match_annotations(read_annotations(path), [Clip(name="clip")], MatchRule()).videos["clip"]
    assert list(found.frames) == ["00001", "00002", "00004"]
