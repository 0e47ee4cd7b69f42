"""`vsodtool convert` through its entry point: what is asked for is what is written, read by others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pycocotools import mask as coco

from vsodtool.media.annotations.formats.rle_pack import unpack_alpha
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import write_manifest
from vsodtool.media.output.resume import describe_run
from vsodtool.media.output.tables.frames_csv import write_frames_csv
from vsodtool.media.video.inputs import discover_videos
from vsodtool.types import FrameRecord, FrameStatus

Cli = Callable[..., tuple[int, str, str]]
Masks = dict[tuple[int, int], npt.NDArray[np.bool_]]
SIZE = (24, 32)
CONFIDENCES = (1.0, 0.9, 0.5, 1.0, 0.2, 1.0)
GIVEN = (0, 3, 5)


def ids_of(number: int) -> npt.NDArray[np.uint8]:
    """A ring with a hole and a second part (1), a square behind it (2) that is not in the last frame."""
    ids = np.zeros(SIZE, np.uint8)
    if number < 5:
        ids[2:8, 20:26] = 2
    ids[4:16, 3 + number : 15 + number] = 1
    ids[8:11, 7 + number : 10 + number] = 0
    ids[18:20, 3:6] = 1
    ids[12, 9 + number] = 0  # a hole of one pixel
    return ids


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """OUT of `pseudolabel` for a folder of six frames: three given, three generated."""
    clip, root = tmp_path / "clip", tmp_path / "out"
    clip.mkdir()
    layout = OutputLayout(root)
    rows = []
    for number, confidence in enumerate(CONFIDENCES):
        name = f"img_{number}"
        assert cv2.imwrite(str(clip / f"{name}.png"), np.full((*SIZE, 3), number, np.uint8))
        image = Image.fromarray(ids_of(number), "P")
        image.putpalette([0, 0, 0, 51, 221, 255, 0, 128, 0])
        layout.masks("clip", name).parent.mkdir(parents=True, exist_ok=True)
        image.save(layout.masks("clip", name))
        status = FrameStatus.GIVEN if number in GIVEN else FrameStatus.GENERATED
        rows.append(FrameRecord("clip", name, status, "", "", confidence))
    write_frames_csv(layout.frames_csv, rows)
    known = [
        {"id": 1, "name": "Ring & co", "category": "ring", "color": "#33ddff"},
        {"id": 2, "name": "ball", "category": "ball"},
    ]
    layout.objects.write_text(json.dumps({"videos": {"clip": known}}), "utf-8")
    manifest = describe_run("pseudolabel", {}, discover_videos([str(clip)]), {})
    write_manifest(layout.manifest, manifest.completed(rows, 1.0))
    return root


def expected(frames: list[int]) -> Masks:
    return {
        (number, at): ids_of(number) == at
        for number in frames
        for at in (1, 2)
        if (ids_of(number) == at).any()
    }


def assert_same(found: Masks, frames: list[int]) -> None:
    assert found.keys() == expected(frames).keys()
    for key, mask in expected(frames).items():
        np.testing.assert_array_equal(found[key], mask)


def coco_masks(path: Path) -> Masks:
    """By pycocotools, whatever the segmentation is."""
    content = json.loads(path.read_text("utf-8"))
    frames = {image["id"]: int(image["file_name"][4]) for image in content["images"]}
    names = {category["id"]: category["name"] for category in content["categories"]}
    found = {}
    for entry in content["annotations"]:
        code = entry["segmentation"]
        if isinstance(code, list):
            code = coco.merge(coco.frPyObjects(code, *SIZE))
        at = 1 if names[entry["category_id"]] == "Ring & co" else 2
        assert entry["track_id"] == at
        counts = code["counts"]
        fixed = {"size": list(SIZE), "counts": counts if isinstance(counts, bytes) else counts.encode()}
        found[frames[entry["image_id"]], at] = coco.decode(fixed).astype(bool)
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pycocotools")
@pytest.mark.parametrize("polygons", [False, True])
def test_coco_is_exact_with_holes_and_parts_also_as_polygons(
    cli: Cli, out: Path, tmp_path: Path, *, polygons: bool
) -> None:
    target = tmp_path / "coco.json"
    code, table, err = cli("convert", out, "-o", target, "--to", "coco", *["--polygons"] * polygons)
    assert code == 0, err
    assert table.split()[-1] == ("no" if polygons else "yes")
    assert_same(coco_masks(target), list(range(6)))
    kinds = {type(one["segmentation"]) for one in json.loads(target.read_text("utf-8"))["annotations"]}
    assert kinds == {list if polygons else dict}


def test_cvat_by_its_own_formula_with_the_names_of_the_frames(cli: Cli, out: Path, tmp_path: Path) -> None:
    code, _, err = cli("convert", out, "-o", tmp_path / "back.xml", "--to", "cvat")
    assert code == 0
    assert "in CVAT: open the task" in " ".join(err.split())
    root = ElementTree.parse(tmp_path / "back.xml").getroot()
    colours = {label.findtext("name"): label.findtext("color") for label in root.iter("label")}
    assert colours == {"Ring & co": "#33ddff", "ball": None}
    found: Masks = {}
    for image in root.iter("image"):
        assert image.get("name") == f"img_{image.get('id')}.png"
        for mask in image.iter("mask"):
            left, top, width, height = (int(mask.get(key, "")) for key in ("left", "top", "width", "height"))
            box = np.zeros(width * height, bool)
            place, value = 0, False
            for run in map(int, mask.get("rle", "").split(",")):
                box[place : place + run] = value
                place, value = place + run, not value
            drawn = np.zeros(SIZE, bool)
            drawn[top : top + height, left : left + width] = box.reshape(height, width)
            found[int(image.get("id", "")), int(mask.get("group_id", ""))] = drawn
    assert_same(found, list(range(6)))


@pytest.mark.parametrize(
    ("options", "frames"),
    [
        (["--frames", "given"], [0, 3, 5]),
        (["--frames", "generated"], [1, 2, 4]),
        (["--frames", "every:2"], [0, 2, 4]),
        (["--frames", "corrected"], [2]),
        (["--frames", "LIST"], [1, 5]),
        (["--max-confidence", "0.5"], [2, 4]),
        (["--min-confidence", "0.5", "--frames", "generated"], [1, 2]),
        (["--min-confidence", "0.4", "--max-confidence", "0.6"], [2]),
    ],
)
def test_frames_are_those_that_were_asked_for(
    cli: Cli, out: Path, tmp_path: Path, options: list[str], frames: list[int]
) -> None:
    correction = OutputLayout(out).correction("clip", "img_2")
    correction.parent.mkdir(parents=True)
    Image.open(OutputLayout(out).masks("clip", "img_2")).save(correction)
    (tmp_path / "list.txt").write_text("img_1\nclip/img_5\n", "utf-8")
    options = [option.replace("LIST", str(tmp_path / "list.txt")) for option in options]
    code, text, err = cli("convert", out, "-o", tmp_path / "masks", "--to", "masks", "--json", *options)
    assert code == 0, err
    assert json.loads(text)["frames"] == len(frames)
    assert sorted(int(path.stem[4:]) for path in (tmp_path / "masks").iterdir()) == frames
    for number in frames:
        written = np.asarray(Image.open(tmp_path / "masks" / f"img_{number}.png"))
        np.testing.assert_array_equal(written, ids_of(number))


def test_a_correction_is_what_is_written(cli: Cli, out: Path, tmp_path: Path) -> None:
    correction = OutputLayout(out).correction("clip", "img_1")
    correction.parent.mkdir(parents=True)
    image = Image.open(OutputLayout(out).masks("clip", "img_1"))
    image.paste(0, (0, 0, 32, 17))
    image.save(correction)
    assert cli("convert", out, "-o", tmp_path / "masks", "--to", "masks")[0] == 0
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "masks" / "img_1.png")), np.asarray(image))


def test_check_writes_nothing_and_tells_the_same(cli: Cli, out: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    code, text, _ = cli("convert", out, "--check", "--json")
    assert code == 0
    told = json.loads(text)
    assert (told["frames"], told["masks"], told["objects"]) == (6, 11, ["Ring & co", "ball"])
    assert told["output"] == ""
    assert cli("convert", out, "-o", tmp_path / "a.json", "--to", "coco", "--dry-run")[0] == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("tag", ["brush", "bitmask"])
def test_label_studio_is_told_what_its_configuration_calls_things(
    cli: Cli, out: Path, tmp_path: Path, tag: str
) -> None:
    target = tmp_path / "tasks.json"
    words = [
        "--from-name",
        "seg",
        "--to-name",
        "picture",
        "--image-url",
        "s3://bucket/{path}",
        "--ls-tag",
        tag,
    ]
    code, _, err = cli("convert", out, "-o", target, "--to", "label-studio", *words)
    assert code == 0
    assert f'a {tag} tag with labels, name="seg" toName="picture"' in " ".join(err.split())
    tasks = json.loads(target.read_text("utf-8"))
    assert [task["data"]["image"] for task in tasks][:2] == [
        "s3://bucket/clip/img_0.png",
        "s3://bucket/clip/img_1.png",
    ]
    assert [round(task["predictions"][0]["score"], 3) for task in tasks] == list(CONFIDENCES)
    result = tasks[0]["predictions"][0]["result"][0]
    assert (result["from_name"], result["to_name"], result["type"]) == ("seg", "picture", f"{tag}labels")
    if tag == "brush":
        np.testing.assert_array_equal(unpack_alpha(result["value"]["rle"], SIZE), ids_of(0) == 1)
    read = ["convert", target, "--input", tmp_path / "clip", "--predictions", "-o", tmp_path / "masks"]
    assert cli(*read, "--to", "masks")[0] == 0
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "masks" / "img_4.png")), ids_of(4))


@pytest.mark.parametrize(
    "refusal",
    [
        (["--to", "coco"], 2, "-o"),
        (["-o", "x.json", "--to", "nothing"], 2, "nothing"),
        (["-o", "x.json", "--to", "label-studio", "--image-url", "s3://bucket"], 2, "{path}"),
        (["-o", "x.json", "--to", "coco", "--frames", "every:0"], 2, "every:K"),
        (["-o", "x.json", "--to", "coco", "--frames", "some"], 2, "file of frame names"),
        (["-o", "x.json", "--to", "coco", "--frames", "corrected"], 3, "found none that were asked for"),
        (["-o", "x.json", "--to", "coco", "--video", "other"], 3, "found clip"),
        (["-o", "x.xml", "--to", "cvat-video", "--polygons"], 3, "one part without holes"),
    ],
)
def test_what_cannot_be_done_is_refused(
    cli: Cli, out: Path, monkeypatch: pytest.MonkeyPatch, refusal: tuple[list[str], int, str]
) -> None:
    (arguments, code, words), folder = refusal, out.parent
    monkeypatch.chdir(folder)
    found, table, err = cli("convert", out, *arguments)
    assert (found, table) == (code, "")
    assert words in " ".join(err.split())
    assert not [path for path in folder.iterdir() if path.name.startswith("x")]


def test_annotations_have_no_given_frames(cli: Cli, out: Path, tmp_path: Path) -> None:
    assert cli("convert", out, "-o", tmp_path / "c.json", "--to", "coco")[0] == 0
    code, _, err = cli("convert", tmp_path / "c.json", "--check", "--frames", "given")
    assert code == 2
    assert "choose frames of an OUT folder" in " ".join(err.split())


def test_from_one_tool_to_another_without_the_images(cli: Cli, out: Path, tmp_path: Path) -> None:
    chain: list[tuple[str, str]] = [
        ("a.json", "coco"),
        ("b.xml", "cvat"),
        ("c", "labelme"),
        ("d", "supervisely-video"),
        ("e.json", "youtube-vis"),
        ("masks", "masks"),
    ]
    source: Any = out
    for name, to in chain:
        code, _, err = cli("convert", source, "-o", tmp_path / name, "--to", to)
        assert code == 0, err
        source = tmp_path / name
    for number, path in enumerate(sorted((tmp_path / "masks").rglob("*.png"))):
        np.testing.assert_array_equal(np.asarray(Image.open(path)), ids_of(number))
