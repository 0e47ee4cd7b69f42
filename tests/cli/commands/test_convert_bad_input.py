"""Annotation files as they occur, row by row of the table: exit 3 with file, place, next step.

The rows are those of the specification of annotation files (A4); each is one file that somebody's tool wrote,
run through `vsodtool convert --check`, which reads, matches and draws everything.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

Cli = Callable[..., tuple[int, str, str]]
Check = Callable[..., tuple[int, str]]
GOLDEN = Path(__file__).parents[2] / "media" / "annotations" / "golden"


@pytest.fixture
def check(cli: Cli, tmp_path: Path) -> Check:
    """Check a file against frames 00000 to 00004 of 10x8: exit code, and stderr on one line."""

    def run(path: Path, *more: object, size: tuple[int, int] = (8, 10), count: int = 5) -> tuple[int, str]:
        clip = tmp_path / "clip"
        clip.mkdir()
        for number in range(count):
            assert cv2.imwrite(str(clip / f"{number:05d}.png"), np.full((*size, 3), number, np.uint8))
        code, out, err = cli("convert", path, "--check", "--input", clip, *more)
        assert not out or code == 0
        assert "Traceback" not in err
        return code, " ".join(err.split())

    return run


def edited(tmp_path: Path, name: str, *changes: tuple[str, str]) -> Path:
    """A golden file with some of its text replaced."""
    text = (GOLDEN / name).read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / Path(name).name
    path.write_text(text, "utf-8")
    return path


def coco(tmp_path: Path, change: Callable[[Any], object]) -> Path:
    loaded = json.loads((GOLDEN / "coco" / "compressed.json").read_text("utf-8"))
    change(loaded)
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(loaded), "utf-8")
    return path


def without_tracks(content: Any) -> None:
    for entry in content["annotations"]:
        entry["category_id"] = 1
        del entry["track_id"]


def shape(value: Any) -> Callable[[Any], object]:
    return lambda content: content["annotations"][1].update(segmentation=value)


def zipped(tmp_path: Path, **members: bytes) -> Path:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def labelme(tmp_path: Path, **change: Any) -> Path:
    loaded = json.loads((GOLDEN / "labelme" / "00000.json").read_text("utf-8"))
    loaded["shapes"][0] |= change
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "00000.json").write_text(json.dumps(loaded), "utf-8")
    return tmp_path / "labels"


def png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def saved(tmp_path: Path, data: bytes, name: str = "file.json") -> Path:
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


def locked(tmp_path: Path) -> Path:
    path = zipped(tmp_path, **{"annotations.xml": (GOLDEN / "cvat" / "images.xml").read_bytes()})
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    path.write_bytes(bytes(data))
    return path


def yolo_bomb(tmp_path: Path) -> Path:
    """Ten lists of ten times the list before: 10^10 texts, were they written out."""
    lists = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 11))
    folder = tmp_path / "yolo"
    (folder / "labels").mkdir(parents=True)
    (folder / "data.yaml").write_text(f"a0: &a0 [x]\n{lists}names: {{0: *a10, 1: dog}}\n", "utf-8")
    (folder / "labels" / "00000.txt").write_text("0 0.1 0.1 0.6 0.1 0.6 0.6\n", "utf-8")
    return folder


def label_studio(tmp_path: Path, **value: Any) -> Path:
    loaded = json.loads((GOLDEN / "label-studio" / "export.json").read_text("utf-8"))
    kind = "polygonlabels" if "points" in value else "brushlabels"
    loaded[0]["annotations"][0]["result"][0] |= {"type": kind, "value": {kind: ["dog"], **value}}
    return saved(tmp_path, json.dumps(loaded).encode(), "export.json")


def yolo(tmp_path: Path, line: str) -> Path:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "00000.txt").write_text(line, "utf-8")
    return tmp_path / "labels"


def supervisely(tmp_path: Path) -> Path:
    loaded = json.loads((GOLDEN / "supervisely" / "ds0" / "ann" / "00000.jpg.json").read_text("utf-8"))
    points = {"exterior": [[1, 1], [3, 3]], "interior": []}
    loaded["objects"][0] = {"classTitle": "dog", "geometryType": "polygon", "points": points}
    (tmp_path / "project" / "ann").mkdir(parents=True)
    saved(tmp_path / "project" / "ann", json.dumps(loaded).encode(), "00000.jpg.json")
    return tmp_path / "project"


def counted_from_one(tmp_path: Path) -> Path:
    return edited(
        tmp_path,
        "cvat/video-masks.xml",
        ('frame="2" keyframe="1"', 'frame="5" keyframe="1"'),
        ('frame="0" keyframe="1"', 'frame="1" keyframe="1"'),
        ('frame="0" keyframe="1"', 'frame="1" keyframe="1"'),
    )


CASES: dict[str, tuple[Callable[[Path], Path], tuple[str, ...], tuple[object, ...]]] = {
    "frame numbers counted from 1": (
        counted_from_one,
        ("video-masks.xml", "5 frames of clip", "found frame 5", "--frame-offset -1"),
        ("--match", "number"),
    ),
    "images sorted lexically: names decide, an order must be asked for": (
        lambda tmp: coco(
            tmp, lambda content: content["images"][1].update(file_name="clip/10.jpg", frame_id=2)
        ),
        ("instances.json", "expected one of the 5 frames", "found clip/10.jpg", "--match"),
        ("--match", "name"),
    ),
    "a video of another number of frames": (
        lambda tmp: GOLDEN / "supervisely-video",
        ("supervisely-video", "expected labels of 7 frames", "found 5 frames", "label the same file"),
        (),
    ),
    "CVAT's runs, not filling the box": (
        lambda tmp: edited(tmp, "cvat/images.xml", ('rle="0, 4"', 'rle="0, 3"')),
        ("images.xml", "frame_000000", "4 pixels in the box", "3 pixels in its runs"),
        (),
    ),
    "COCO's runs where CVAT's are expected": (
        lambda tmp: edited(tmp, "cvat/images.xml", ('rle="0, 4"', 'rle="57, 2, 6, 2, 13"')),
        ("images.xml", "found 80 pixels", "COCO"),
        (),
    ),
    "CVAT's runs where COCO's are expected": (
        lambda tmp: coco(tmp, shape({"size": [8, 10], "counts": [0, 4]})),
        ("instances.json", "annotations[1].segmentation.counts", "80 pixels", "found 4", "CVAT"),
        (),
    ),
    "width and height swapped": (
        lambda tmp: coco(tmp, lambda content: [one.update(width=8, height=10) for one in content["images"]]),
        ("instances.json", "swapped"),
        (),
    ),
    "a polygon of two points": (
        lambda tmp: coco(tmp, shape([[1, 1, 3, 3]])),
        ("instances.json", "annotations[1]", "at least 3 points", "found 4 numbers", "--skip-bad"),
        (),
    ),
    "CVAT's polygon of two points": (
        lambda tmp: edited(tmp, "cvat/video-polygons.xml", ("6.00,1.00;6.00,6.00;1.00,6.00", "6.00,1.00")),
        ("video-polygons.xml", "track 0, frame 0", "at least 3 points", "found 4 numbers", "--skip-bad"),
        (),
    ),
    "LabelMe's polygon of two points": (
        lambda tmp: labelme(tmp, shape_type="polygon", points=[[1, 1], [3, 3]]),
        ("00000.json", "shapes[0]", "at least 3 points", "found 4 numbers", "--skip-bad"),
        (),
    ),
    "Label Studio's polygon of two points": (
        lambda tmp: label_studio(tmp, points=[[10, 10], [30, 30]]),
        ("export.json", "annotations[0].result[0]", "at least 3 points", "found 4 numbers", "--skip-bad"),
        (),
    ),
    "Label Studio's bytes that are no runs": (
        lambda tmp: label_studio(tmp, format="rle", rle=[1, 2, 3]),
        ("export.json", "annotations[0].result[0].value.rle", "expected more bytes", "--skip-bad"),
        (),
    ),
    "YOLO's polygon of two points": (
        lambda tmp: yolo(tmp, "0 0.1 0.1 0.5 0.5 0.3 0.3\n0 0.1 0.1\n"),
        ("00000.txt", "line 2", "at least 3 points", "found 2 numbers", "--skip-bad"),
        (),
    ),
    "YOLO with a confidence": (
        lambda tmp: yolo(tmp, "0 0.1 0.1 0.5 0.5 0.3\n"),
        ("00000.txt", "line 1", "pairs of coordinates", "found 5 numbers", "save_conf"),
        (),
    ),
    "YOLO in pixels": (
        lambda tmp: yolo(tmp, "0 1 1 6 1 6 6\n"),
        ("00000.txt", "line 1", "0 to 1", "found 6", "divide"),
        (),
    ),
    "Supervisely's polygon of two points": (
        supervisely,
        ("00000.jpg.json", "objects[0]", "at least 3 points", "found 4 numbers", "--skip-bad"),
        (),
    ),
    "a coordinate that is no number": (
        lambda tmp: coco(tmp, shape([[1, 1, float("nan"), 3, 5, 5]])),
        ("instances.json", "annotations[1]", "expected a list of finite numbers", "found [1, 1, NaN"),
        (),
    ),
    "coordinates as texts": (
        lambda tmp: coco(tmp, shape([["1", "1", "3", "3", "5", "5"]])),
        ("instances.json", "annotations[1]", "finite numbers", 'found ["1"'),
        (),
    ),
    "points nested wrongly": (
        lambda tmp: coco(tmp, shape([[[1, 1], [3, 3], [5, 5]]])),
        ("instances.json", "annotations[1]", "finite numbers", "found [[1, 1]"),
        (),
    ),
    "runs as a plain list": (
        lambda tmp: coco(tmp, shape([57, 2, 6, 2, 13])),
        ("instances.json", "annotations[1]", "3 points", "found 5 numbers"),
        (),
    ),
    "an unknown category": (
        lambda tmp: coco(tmp, lambda content: content["annotations"][0].update(category_id=9)),
        ("instances.json", "annotations[0].category_id", "one of the categories", "found 9"),
        (),
    ),
    "a class that nothing has": (
        lambda tmp: GOLDEN / "coco" / "compressed.json",
        ("compressed.json", "expected the classes cat", "found ball, dog", "--classes"),
        ("--classes", "cat"),
    ),
    "a category twice in a frame and nobody says who is who": (
        lambda tmp: coco(tmp, without_tracks),
        ("instances.json", "dog occurs 2 times in clip/00000.jpg", "--objects category", "attribute:NAME"),
        (),
    ),
    "listed frames that nobody drew on": (
        lambda tmp: coco(tmp, lambda content: content["annotations"].clear()),
        ("instances.json", "found 3 listed frames without any shape", "--empty given"),
        (),
    ),
    "labels of a video that is no input": (
        lambda tmp: coco(
            tmp,
            lambda content: (
                [one.update(file_name=f"other/{number}.jpg") for number, one in enumerate(content["images"])],
                content["videos"].__setitem__(0, {"id": 1, "name": "other"}),
                content["videos"].append({"id": 2, "name": "third"}),
                content["images"].append({"id": 9, "file_name": "third/1.jpg", "video_id": 2}),
            ),
        ),
        ("instances.json", "expected labels for 'clip'", "found 'other', 'third'"),
        (),
    ),
    "a cut JSON": (
        lambda tmp: saved(tmp, (GOLDEN / "coco" / "compressed.json").read_bytes()[:300]),
        ("file.json", "expected JSON", "line", "column", "export it again"),
        (),
    ),
    "JSON that is not UTF-8": (
        lambda tmp: saved(tmp, '{"images": "ü"}'.encode("latin-1")),
        ("file.json", "byte 0xfc at 12", "UTF-8"),
        (),
    ),
    "JSON of lists within lists": (
        lambda tmp: saved(tmp, b"[" * 100_000),
        ("file.json", "lists within lists", "export it again"),
        (),
    ),
    "JSON-MIN": (
        lambda tmp: saved(tmp, b'[{"image": "/data/upload/1/a.png", "tag": []}]'),
        ("file.json", "full export", "choose JSON"),
        (),
    ),
    "a zip bomb": (
        lambda tmp: zipped(tmp, **{"annotations.xml": b"\0" * (80 * 1024**2)}),
        ("export.zip", "annotations.xml", "unpacks to 80 MiB", "unpack it yourself"),
        (),
    ),
    "a zip bomb of many members": (
        lambda tmp: zipped(tmp, **{f"{number}.json": b" " * 2**20 for number in range(80)}),
        ("export.zip", "80 files that unpacks to 80 MiB", "unpack it yourself"),
        (),
    ),
    "an encrypted zip": (
        locked,
        ("export.zip", "annotations.xml", "encrypted", "unlock it"),
        (),
    ),
    "a document type": (
        lambda tmp: edited(
            tmp,
            "cvat/images.xml",
            ("<annotations>", '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;">]>\n<annotations>'),
        ),
        ("images.xml", "DOCTYPE"),
        (),
    ),
    "a cut XML": (
        lambda tmp: saved(tmp, (GOLDEN / "cvat" / "images.xml").read_bytes()[:900], "file.xml"),
        ("file.xml", "expected", "line", "export it again"),
        (),
    ),
    "a PNG bomb in LabelMe's base64": (
        lambda tmp: labelme(tmp, mask=base64.b64encode(png(12_000, 12_000)).decode()),
        ("00000.json", "shapes[0].mask", "12000x12000", "--skip-bad"),
        (),
    ),
    "a PNG bomb among class pictures": (
        lambda tmp: zipped(
            tmp,
            **{"labelmap.txt": b"dog:1,2,3::\n", "SegmentationClass/00000.png": png(12_000, 12_000)},
        ),
        ("export.zip", "SegmentationClass/00000.png", "134217728 pixels", "12000x12000"),
        (),
    ),
    "aliases in YAML without end": (
        yolo_bomb,
        ("labels", "00000.txt", "line 1", "found 0"),
        (),
    ),
}


@pytest.mark.parametrize("row", CASES)
def test_bad_input_is_refused_with_the_next_step(tmp_path: Path, check: Check, row: str) -> None:
    make, expected, more = CASES[row]
    count = 7 if "number of frames" in row else 5
    code, err = check(make(tmp_path), *more, count=count)
    assert code == 3, err
    for text in expected:
        assert text in err


def test_a_file_of_over_two_gib_is_refused_unread(tmp_path: Path, check: Check) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(2 * 1024**3 + 1)  # a hole: takes no room
    code, err = check(path)
    assert code == 3
    assert "large.json: expected at most 2 GiB, found 2.0 GiB" in err


def test_names_in_a_zip_lead_nowhere(tmp_path: Path, check: Check) -> None:
    path = zipped(tmp_path, **{"/../../annotations.xml": (GOLDEN / "cvat" / "images.xml").read_bytes()})
    assert check(path, "--match", "number")[0] == 0
    assert {each.name for each in tmp_path.iterdir()} == {"export.zip", "clip"}


@pytest.mark.parametrize(
    "bad",
    [
        [[1, 1, 3, 3]],
        {"size": [8, 10], "counts": "~~~~"},
        {"size": [8, 10], "counts": [0, 4]},
        {"size": [10, 8], "counts": "i12607"},
        [[1, 1, 1e300, 3, 5, 5]],
    ],
)
def test_bad_shapes_are_left_out_and_counted_on_request(tmp_path: Path, check: Check, bad: Any) -> None:
    code, err = check(coco(tmp_path, shape(bad)), "--skip-bad")
    assert code == 0, err
    assert "left out: 1 unreadable" in err
    assert "2 shapes" in err


def test_what_is_unusual_and_right_is_taken(tmp_path: Path, check: Check) -> None:
    """A byte order mark, a ring that crosses itself, paths of Windows, listed frames, shapes that overlap."""

    def change(content: Any) -> None:
        shape([[1, 1, 7, 7, 7, 1, 1, 7]])(content)
        for image in content["images"]:
            image["file_name"] = image["file_name"].replace("/", "\\")

    path = coco(tmp_path, change)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    code, err = check(path)
    assert code == 0, err
    assert "coco, 2 frames of 'clip'" in err
    # Even-odd: the four triangles of the bow tie, where COCO's rule draws it, lie partly upon the dog.
    assert "clip: objects overlap in 1 frame" in err


def test_classes_that_are_not_asked_for_are_counted(tmp_path: Path, check: Check) -> None:
    code, err = check(GOLDEN / "coco" / "compressed.json", "--classes", "dog")
    assert code == 0
    assert "1 object (dog), 2 shapes" in err
    assert "left out: 1 of other classes" in err
