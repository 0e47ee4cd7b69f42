"""Every reader gives the truth of the golden scene; every writer gives its file back.

`golden/` is a copy of the files that describe one scene in every format (ring with a hole and a second part,
and a small square; frames 0, 2 and 4 of five labelled, 4 explicitly empty), made by hand from the tools' own
code. `truth/` holds its label images.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.media.annotations.clips import Clip
from vsodtool.media.annotations.mapping import MatchRule, match_annotations
from vsodtool.media.annotations.model import Annotations
from vsodtool.media.annotations.objects import ObjectRule, identify
from vsodtool.media.annotations.reading import read_annotations
from vsodtool.media.annotations.table import FORMATS
from vsodtool.types import LabelArray

SIZE = (8, 10)
EXACT = [
    "coco/compressed.json",
    "coco/uncompressed.json",
    "coco/polygons.json",
    "cvat/images.xml",
    "cvat/video-masks.xml",
    "cvat-mask.zip",
    "labelme",
    "label-studio",
    "label-studio/export.json",
    "youtube-vis",
    "yolo",
    "supervisely",
    "supervisely-video",
    "burst",
    "datumaro",
]


def labels(annotations: Annotations, *, is_file: bool) -> dict[int, LabelArray]:
    found = match_annotations(annotations, [Clip(is_file=is_file)], MatchRule()).videos["clip"].frames
    objects = identify({"clip": list(found.values())}, annotations.categories, ObjectRule())["clip"]
    return {int(name): objects.paint(frame, SIZE) for name, frame in found.items()}


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("is_file", [False, True])
def test_readers_give_the_truth(
    golden: Path, truth: dict[int, LabelArray], name: str, *, is_file: bool
) -> None:
    found = labels(read_annotations(golden / name), is_file=is_file)
    assert {0, 2} <= set(found) <= {0, 2, 4}
    for number, drawn in found.items():
        np.testing.assert_array_equal(drawn, truth[number])


@pytest.mark.parametrize("name", ["labelme", "label-studio", "yolo", "burst"])
def test_a_frame_said_to_be_empty_is_labelled(golden: Path, name: str) -> None:
    assert not labels(read_annotations(golden / name), is_file=False)[4].any()


@pytest.mark.parametrize("name", ["coco/compressed.json", "cvat/images.xml", "youtube-vis", "supervisely"])
def test_a_frame_that_is_only_listed_is_unknown_unless_the_user_says_so(golden: Path, name: str) -> None:
    annotations = read_annotations(golden / name)
    assert 4 not in labels(annotations, is_file=False)
    given = match_annotations(annotations, [Clip(is_file=False)], MatchRule(empty="given"))
    assert "00004" in given.videos["clip"].frames


@pytest.mark.parametrize("is_file", [False, True])
def test_mots_keeps_its_ids(golden: Path, truth: dict[int, LabelArray], *, is_file: bool) -> None:
    """1000 times the class and a number: 1001 is the dog, 2001 the ball."""
    found = labels(read_annotations(golden / "mots"), is_file=is_file)
    assert set(found) == {0, 2}
    for number, drawn in found.items():
        np.testing.assert_array_equal(drawn, truth[number] * np.uint16(1000) + (truth[number] > 0))


def test_via_has_the_ring_filled(golden: Path, truth: dict[int, LabelArray]) -> None:
    found = labels(read_annotations(golden / "via"), is_file=False)
    assert set(found) == {0, 2}
    for number, left in ((0, 1), (2, 2)):
        filled = truth[number].copy()
        filled[1:6, left : left + 5] = 1
        np.testing.assert_array_equal(found[number], filled)


def test_burst_and_mots_are_written_as_the_golden_files(golden: Path) -> None:
    entries = {entry.name: entry for entry in FORMATS}
    burst, mots = entries["burst"].write, entries["mots"].write_files
    assert burst is not None
    assert mots is not None
    written = json.loads("".join(burst(read_annotations(golden / "burst"))))
    expected = json.loads((golden / "burst" / "all_classes.json").read_text("utf-8"))
    for key in (
        "annotated_image_paths",
        "track_category_ids",
        "segmentations",
        "seq_name",
        "width",
        "height",
    ):
        assert written["sequences"][0][key] == expected["sequences"][0][key]
    assert written["categories"] == expected["categories"]
    assert dict(mots(read_annotations(golden / "mots"))) == {
        "clip.txt": (golden / "mots" / "clip.txt").read_text("utf-8")
    }


def test_labelme_polygons_have_the_ring_filled(golden: Path, truth: dict[int, LabelArray]) -> None:
    for name in ("labelme-polygons", "x-anylabeling"):
        found = labels(read_annotations(golden / name), is_file=False)[0]
        filled = truth[0].copy()
        filled[1:6, 1:6] = 1
        if name == "x-anylabeling":  # it has no second part
            filled[5:7, 7:9] = 0
        np.testing.assert_array_equal(found, filled)


def test_interpolated_and_outside_shapes_label_no_frame(golden: Path) -> None:
    annotations = read_annotations(golden / "cvat" / "video-polygons.xml")
    assert set(labels(annotations, is_file=True)) == {0, 2}
    assert annotations.left_out["interpolated by CVAT alone in its frame"] == 1


@pytest.mark.parametrize(("name", "polygons"), [("compressed", False), ("polygons", True)])
def test_coco_is_written_as_the_golden_file(golden: Path, name: str, *, polygons: bool) -> None:
    entry = next(entry for entry in FORMATS if entry.name == "coco")
    write = entry.write_polygons if polygons else entry.write
    assert write is not None
    path = golden / "coco" / f"{name}.json"
    written = json.loads("".join(write(read_annotations(path))))
    expected = json.loads(path.read_text("utf-8"))
    assert {**written, "info": expected["info"]} == expected


def test_youtube_vis_is_written_as_the_golden_file(golden: Path) -> None:
    entry = next(entry for entry in FORMATS if entry.name == "youtube-vis")
    assert entry.write is not None
    written = json.loads("".join(entry.write(read_annotations(golden / "youtube-vis"))))
    assert written == json.loads((golden / "youtube-vis" / "instances.json").read_text("utf-8"))


def test_label_studio_brushes_are_written_as_the_golden_file(golden: Path) -> None:
    entry = next(entry for entry in FORMATS if entry.name == "label-studio")
    assert entry.write is not None
    written = json.loads("".join(entry.write(read_annotations(golden / "label-studio"))))
    expected = json.loads((golden / "label-studio" / "export.json").read_text("utf-8"))
    for task, golden_task in zip(written, expected, strict=True):
        found = [result["value"] for result in task["predictions"][0]["result"]]
        assert found == [result["value"] for result in golden_task["annotations"][0]["result"]]


def with_sizes(annotations: Annotations) -> Annotations:
    """With the size of the scene, which YOLO's files do not hold."""
    videos = [
        replace(
            video, frames=tuple(replace(frame, key=replace(frame.key, size=SIZE)) for frame in video.frames)
        )
        for video in annotations.videos
    ]
    return replace(annotations, videos=tuple(videos))


@pytest.mark.parametrize(
    ("name", "folder", "members"),
    [
        ("labelme", "labelme", {"00000.json", "00002.json", "00004.json"}),
        (
            "supervisely",
            "supervisely",
            {"meta.json", *(f"ds0/ann/0000{number}.jpg.json" for number in (0, 2, 4))},
        ),
        ("supervisely-video", "supervisely-video", {"ds0/ann/clip.mp4.json"}),
        ("yolo", "yolo", {"data.yaml", *(f"labels/train/0000{number}.txt" for number in (0, 2, 4))}),
    ],
)
def test_folders_are_written_as_the_golden_ones(
    golden: Path, name: str, folder: str, members: set[str]
) -> None:
    entry = next(entry for entry in FORMATS if entry.name == name)
    assert entry.write_files is not None
    written = dict(entry.write_files(with_sizes(read_annotations(golden / folder))))
    assert members <= set(written)
    for member in members:
        expected = (golden / folder / member).read_text("utf-8")
        if member.endswith(".json"):
            assert json.loads(written[member]) == json.loads(expected)
        else:
            assert written[member].split() == expected.split()
