"""What occurs in files of strangers: refused with file, place, expected and found, never a traceback."""

from __future__ import annotations

import base64
import copy
import io
import json
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.media.annotations.clips import Clip
from vsodtool.errors import DataError
from vsodtool.media.annotations.mapping import MatchRule, match_annotations
from vsodtool.media.annotations.model import Annotations, ReadOptions
from vsodtool.media.annotations.objects import ObjectRule, identify
from vsodtool.media.annotations.reading import read_annotations

SIZE = (8, 10)


def draw_all(annotations: Annotations, clip: Clip | None = None, rule: MatchRule | None = None) -> None:
    clip = clip or Clip()
    found = match_annotations(annotations, [clip], rule or MatchRule()).videos["clip"].frames
    objects = identify({"clip": list(found.values())}, annotations.categories, ObjectRule())["clip"]
    for frame in found.values():
        objects.paint(frame, clip.size)


def refused(action: Callable[[], object], *expected: str) -> DataError:
    with pytest.raises(DataError) as caught:
        action()
    for text in expected:
        assert text in f"{caught.value.message}\n{caught.value.hint}"
    return caught.value


@pytest.fixture
def coco(golden: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((golden / "coco" / "compressed.json").read_text("utf-8"))
    return loaded


@pytest.fixture
def save(tmp_path: Path) -> Callable[[Any], Path]:
    def write(value: Any) -> Path:
        path = tmp_path / "file.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")
        return path

    return write


def edit(golden: Path, tmp_path: Path, *changes: tuple[str, str], name: str = "images.xml") -> Path:
    text = (golden / "cvat" / name).read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "annotations.xml"
    path.write_text(text, "utf-8")
    return path


def test_numbers_counted_from_one_are_refused_with_the_offset_that_fits(golden: Path, tmp_path: Path) -> None:
    path = edit(golden, tmp_path, ('id="2" name="frame_000002"', 'id="5" name="frame_000005"'))
    error = refused(lambda: draw_all(read_annotations(path), Clip(5)), str(path), "00004", "frame_000005")
    assert "--frame-offset" in error.hint


def test_the_offset_shifts_numbers(golden: Path) -> None:
    annotations = read_annotations(golden / "cvat" / "images.xml")
    found = match_annotations(annotations, [Clip()], MatchRule(offset=1)).videos["clip"].frames
    assert list(found) == ["00001", "00003"]


def test_names_decide_for_folders_never_the_order(golden: Path) -> None:
    annotations = read_annotations(golden / "labelme")
    clip = Clip(is_file=False, own_names=tuple(f"img_{number}" for number in range(12)))
    refused(lambda: draw_all(annotations, clip), "label without a frame", "00000.jpg", "--match")
    found = match_annotations(annotations, [clip], MatchRule(match="index")).videos["clip"].frames
    assert list(found) == ["img_0", "img_1", "img_2"]


def test_a_video_of_another_length_is_refused(golden: Path) -> None:
    annotations = read_annotations(golden / "supervisely-video")
    refused(lambda: draw_all(annotations, Clip(7)), "expected labels of 7 frames", "found 5 frames")


def test_runs_that_do_not_fill_the_box_are_named(golden: Path, tmp_path: Path) -> None:
    path = edit(golden, tmp_path, ('rle="0, 4"', 'rle="0, 3"'))
    refused(
        lambda: draw_all(read_annotations(path)), str(path), "4 pixels in the box", "3 pixels in its runs"
    )


def test_runs_of_the_whole_image_are_recognised_as_those_of_coco(golden: Path, tmp_path: Path) -> None:
    path = edit(golden, tmp_path, ('rle="0, 4"', 'rle="57, 2, 6, 2, 13"'))
    refused(lambda: draw_all(read_annotations(path)), "COCO")


def test_runs_within_a_box_are_recognised_as_those_of_cvat(
    coco: dict[str, Any], save: Callable[[Any], Path]
) -> None:
    coco["annotations"][1]["segmentation"]["counts"] = [0, 4]
    refused(lambda: draw_all(read_annotations(save(coco))), "annotations[1]", "80 pixels", "found 4", "CVAT")


def test_swapped_sides_are_named(golden: Path) -> None:
    annotations = read_annotations(golden / "cvat" / "images.xml")
    refused(lambda: draw_all(annotations, Clip(size=(10, 8))), "8x10", "10x8", "swapped")


@pytest.mark.parametrize(
    "segmentation",
    [
        [[1, 1, 3, 3]],
        [[1, 1, 3, 3, 5]],
        [[1, 1, float("nan"), 3, 5, 5]],
        [["1", "1", "3", "3", "5", "5"]],
        [[[1, 1], [3, 3], [5, 5]]],
        [[1, 1, 1e300, 3, 5, 5]],
        {"size": [8, 10], "counts": [1, -2, 81]},
        {"size": [8, 10], "counts": "~~~~"},
        {"size": [8, 10], "counts": "9530P"},
        {"size": [10, 8], "counts": "i12607"},
        {"size": [8, 10], "counts": None},
        {"size": [8], "counts": "i12607"},
        {"size": ["8", 10], "counts": "i12607"},
        "i12607",
        7,
    ],
)
def test_bad_shapes_are_refused_and_left_out_on_request(
    coco: dict[str, Any], save: Callable[[Any], Path], segmentation: Any
) -> None:
    coco["annotations"][1]["segmentation"] = segmentation
    path = save(coco)
    refused(lambda: draw_all(read_annotations(path)), str(path), "annotations[1]", "expected", "found")


def test_a_bad_polygon_can_be_left_out(coco: dict[str, Any], save: Callable[[Any], Path]) -> None:
    coco["annotations"][1]["segmentation"] = [[1, 1, 3, 3]]
    annotations = read_annotations(save(coco), options=ReadOptions(skip_bad=True))
    assert annotations.left_out["unreadable"] == 1
    draw_all(annotations)


def test_a_ring_that_crosses_itself_is_drawn(coco: dict[str, Any], save: Callable[[Any], Path]) -> None:
    coco["annotations"][1]["segmentation"] = [[1, 1, 7, 7, 7, 1, 1, 7]]
    draw_all(read_annotations(save(coco)))


def test_shapes_above_cover_those_below(golden: Path, tmp_path: Path) -> None:
    path = edit(
        golden,
        tmp_path,
        ('rle="0, 4" left="7" top="1"', 'rle="0, 4" left="1" top="1"'),
        ('z_order="0"', 'z_order="3"'),
    )
    annotations = read_annotations(path)
    found = match_annotations(annotations, [Clip()], MatchRule()).videos["clip"].frames
    objects = identify({"clip": list(found.values())}, annotations.categories, ObjectRule())["clip"]
    assert objects.paint(found["00000"], SIZE)[1, 1] == 1  # the dog, of z 3, lies above the ball


@pytest.mark.parametrize(
    ("where", "key"), [("annotations", "category_id"), ("annotations", "image_id"), ("images", "video_id")]
)
def test_references_to_nothing_are_refused(
    coco: dict[str, Any], save: Callable[[Any], Path], where: str, key: str
) -> None:
    coco[where][0][key] = 99
    refused(lambda: read_annotations(save(coco)), f"{where}[0].{key}", "found 99")


def test_a_category_twice_in_a_frame_needs_somebody_to_say_who_is_who(
    coco: dict[str, Any], save: Callable[[Any], Path]
) -> None:
    for entry in coco["annotations"]:
        entry["category_id"] = 1
        del entry["track_id"]
    error = refused(lambda: draw_all(read_annotations(save(coco))), "dog occurs 2 times", "clip/00000.jpg")
    for option in ("--objects category", "--objects single", "--objects attribute:NAME"):
        assert option in error.hint


def test_labels_of_other_videos_are_ignored_and_those_of_none_refused(
    coco: dict[str, Any], save: Callable[[Any], Path]
) -> None:
    coco["videos"].append({"id": 2, "name": "other"})
    coco["images"].append({"id": 9, "file_name": "other/00000.jpg", "width": 4, "height": 4, "video_id": 2})
    mapping = match_annotations(read_annotations(save(coco)), [Clip()], MatchRule())
    assert mapping.ignored == {"other": 1}
    other = Clip(name="third")
    refused(
        lambda: match_annotations(read_annotations(save(coco)), [other], MatchRule()), "'third'", "'clip'"
    )


def test_two_labels_for_one_frame_are_refused(coco: dict[str, Any], save: Callable[[Any], Path]) -> None:
    coco["images"][1] |= {"file_name": "clip/copy/00000.jpg", "frame_id": 0}
    refused(
        lambda: draw_all(read_annotations(save(coco))), "one entry for frame 00000", "clip/copy/00000.jpg"
    )


def test_a_byte_order_mark_is_accepted(coco: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(coco).encode())
    draw_all(read_annotations(path))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"images": [\xff]}', "byte 0xff at 12"),
        (b'{"images": [', "line 1, column"),
        (b"[" * 100_000, "without end"),
        (b'{"a": ' + b"9" * 5000 + b"}", "digits"),
    ],
)
def test_what_is_no_json_is_refused_with_the_place(tmp_path: Path, data: bytes, found: str) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(data)
    refused(lambda: read_annotations(path), str(path), "expected JSON", found)


def test_paths_of_windows_and_stale_image_paths_do_not_matter(golden: Path, tmp_path: Path) -> None:
    loaded = json.loads((golden / "labelme" / "00000.json").read_text("utf-8"))
    loaded |= {"imagePath": "..\\files\\00000.png", "imageData": "A" * 1000}
    (tmp_path / "00000.json").write_text(json.dumps(loaded), "utf-8")
    draw_all(read_annotations(tmp_path), Clip(is_file=False))


def test_a_zip_that_is_a_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("annotations.xml", b"\0" * (80 * 1024**2))
    refused(lambda: read_annotations(path), str(path), "annotations.xml", "unpacks to")


def test_a_zip_with_names_that_climb_is_read_in_memory_only(golden: Path, tmp_path: Path) -> None:
    path = tmp_path / "climbing.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../annotations.xml", (golden / "cvat" / "images.xml").read_bytes())
    draw_all(read_annotations(path))
    assert list(tmp_path.iterdir()) == [path]


def test_an_encrypted_zip_is_refused(golden: Path, tmp_path: Path) -> None:
    path = tmp_path / "locked.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("annotations.xml", (golden / "cvat" / "images.xml").read_bytes())
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    path.write_bytes(bytes(data))
    refused(lambda: read_annotations(path), str(path), "encrypted")


def test_a_document_type_is_refused(golden: Path, tmp_path: Path) -> None:
    text = (golden / "cvat" / "images.xml").read_text("utf-8")
    path = tmp_path / "annotations.xml"
    doctype = '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;">]>\n<annotations>'
    path.write_text(text.replace("<annotations>", doctype, 1), "utf-8")
    refused(lambda: read_annotations(path), str(path), "DOCTYPE")


def test_a_png_bomb_is_refused_by_its_header(golden: Path, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((4000, 4000), np.uint8)).save(buffer, "PNG")
    loaded = json.loads((golden / "labelme" / "00000.json").read_text("utf-8"))
    loaded["shapes"][0]["mask"] = base64.b64encode(buffer.getvalue()).decode()
    (tmp_path / "00000.json").write_text(json.dumps(loaded), "utf-8")
    refused(lambda: draw_all(read_annotations(tmp_path), Clip(is_file=False)), "shapes[0].mask", "4000x4000")


def test_unknown_colours_of_class_pictures_are_refused(golden: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(golden / "cvat-mask.zip") as file:
        file.extractall(tmp_path)
    path = tmp_path / "SegmentationClass" / "frame_000000.png"
    pixels = np.array(Image.open(path).convert("RGB"))
    pixels[0, :3] = (1, 2, 3)
    Image.fromarray(pixels).save(path)
    refused(lambda: read_annotations(tmp_path), "frame_000000.png", "#010203 (3 pixels)")


def test_pixel_coordinates_in_yolo_files_are_refused(golden: Path, tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "00000.txt").write_text("0 1 1 6 1 6 6 1 6\n", "utf-8")
    refused(lambda: read_annotations(tmp_path), "00000.txt: line 1", "found 6", "divide")


def test_a_turned_image_of_label_studio_is_refused(golden: Path, save: Callable[[Any], Path]) -> None:
    loaded = json.loads((golden / "label-studio" / "export.json").read_text("utf-8"))
    loaded[0]["annotations"][0]["result"][0]["image_rotation"] = 90
    refused(lambda: read_annotations(save(loaded)), "image_rotation", "found 90")


def test_segmentations_of_another_number_than_frames_are_refused(
    golden: Path, save: Callable[[Any], Path]
) -> None:
    loaded = json.loads((golden / "youtube-vis" / "instances.json").read_text("utf-8"))
    loaded["annotations"][0]["segmentations"].append(None)
    refused(lambda: read_annotations(save(loaded)), "annotations[0].segmentations", "expected 3", "4 found")


@pytest.mark.parametrize("name", ["pipe", "missing"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "pipe":
        os.mkfifo(path)
    refused(lambda: read_annotations(path), str(path))


MUTATED = [
    "coco/compressed.json",
    "coco/uncompressed.json",
    "coco/polygons.json",
    "cvat/images.xml",
    "cvat/video-masks.xml",
    "labelme/00000.json",
    "label-studio/export.json",
    "youtube-vis/instances.json",
    "supervisely-video/ds0/ann/clip.mp4.json",
    "cvat-mask.zip",
    "burst/all_classes.json",
    "mots/clip.txt",
    "datumaro/annotations/default.json",
    "via/via_region_data.json",
]


@pytest.mark.parametrize("name", MUTATED)
def test_damaged_bytes_end_in_a_refusal_or_in_labels(golden: Path, tmp_path: Path, name: str) -> None:
    data = (golden / name).read_bytes()
    chance = random.Random(name)
    folder = tmp_path / "ann" if "ann/" in name else tmp_path
    folder.mkdir(exist_ok=True)
    path = folder / Path(name).name
    for _ in range(20):
        damaged = bytearray(data)
        if chance.random() < 0.3:
            del damaged[chance.randrange(len(damaged)) :]
        else:
            for _ in range(chance.randrange(1, 6)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(bytes(damaged))
        assert str(tmp_path) in message_of(tmp_path if "ann/" in name else path)


@pytest.mark.parametrize("name", [name for name in MUTATED if name.endswith(".json")])
def test_absurd_values_end_in_a_refusal_or_in_labels(golden: Path, tmp_path: Path, name: str) -> None:
    loaded = json.loads((golden / name).read_text("utf-8"))
    chance = random.Random(name)
    folder = tmp_path / "ann" if "ann/" in name else tmp_path
    folder.mkdir(exist_ok=True)
    path = folder / Path(name).name
    absurd = [None, True, -1, 2**70, float("nan"), float("inf"), 1e300, "", "x", [], {}, [[]], {"a": 1}]
    for _ in range(20):
        changed = copy.deepcopy(loaded)
        places = list(walk(changed))
        owner, key = chance.choice(places)
        owner[key] = chance.choice(absurd)
        path.write_text(json.dumps(changed), "utf-8")
        assert str(tmp_path) in message_of(tmp_path if "ann/" in name else path)


def message_of(path: Path) -> str:
    """The message of the refusal, the path where nothing is refused; anything else raised is a bug."""
    try:
        draw_all(read_annotations(path))
    except DataError as error:
        return error.message
    return str(path)


def walk(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield value, key
        yield from walk(child)
