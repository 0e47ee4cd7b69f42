"""Do other people's readers find in our annotation files the masks that we wrote?

    python benchmarks/annotation_readers.py write DIR                # with vsodtool
    uv venv other && uv pip install --python other/bin/python datumaro supervision label-studio-sdk
    other/bin/python benchmarks/annotation_readers.py check DIR      # without vsodtool

Six frames of 64x48 with two objects of noise: holes, parts, single pixels, the border; the last one is empty.
The rules of CVAT, LabelMe and Supervisely are those of their own code, written down again.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import io
import json
import re
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
from PIL import Image

SIZE = (48, 64)
Masks = dict[tuple[int, int], npt.NDArray[np.bool_]]  # frame, object -> pixels


def scene() -> npt.NDArray[np.uint8]:
    """Ids, (6, H, W)."""
    import cv2

    random = np.random.default_rng(3)
    frames = []
    for _ in range(6):
        noise = cv2.GaussianBlur(random.normal(size=SIZE), (0, 0), 3)
        frames.append(np.digitize(noise, np.quantile(noise, [0.35, 0.7])).astype(np.uint8))
    frames[-1][:] = 0
    return np.stack(frames)


def write(root: Path) -> None:
    """Every format, a folder each, and the truth."""
    from functools import partial

    from vsodtool.media.annotations.model import (
        Annotations,
        Category,
        FrameKey,
        FrameLabels,
        Shape,
        VideoLabels,
    )
    from vsodtool.media.annotations.table import FORMATS

    truth, frames = scene(), []
    for number, ids in enumerate(truth):
        shapes = [
            Shape(f"thing {at}", partial(lambda _, ids, at: ids == at, ids=ids, at=at), "made", track=str(at))
            for at in (1, 2)
            if (ids == at).any()
        ]
        frames.append(FrameLabels(FrameKey(f"{number:05d}.jpg", number, SIZE), tuple(shapes)))
    categories = (Category("thing 1"), Category("thing 2"))
    annotations = Annotations("made", "made", (VideoLabels("clip", tuple(frames)),), categories)
    (root / "images").mkdir(parents=True)
    np.save(root / "truth.npy", truth)
    for number in range(len(truth)):
        Image.new("RGB", SIZE[::-1]).save(root / "images" / f"{number:05d}.jpg")
    for entry in FORMATS:
        for kind, text in ((entry.name, entry.write), (f"{entry.name}-polygons", entry.write_polygons)):
            if text is not None and entry.write is not None:
                (root / kind).mkdir()
                (root / kind / "file").write_text("".join(text(annotations)), "utf-8")
        for name, content in entry.write_files(annotations) if entry.write_files else ():
            (root / entry.name / name).parent.mkdir(parents=True, exist_ok=True)
            (root / entry.name / name).write_text(content, "utf-8")


def number(text: object) -> int:
    """The last number in a name."""
    return int(re.findall("[0-9]+", str(text))[-1])


def placed(box: Any, left: int, top: int) -> npt.NDArray[np.bool_]:
    """A box of pixels in the frame."""
    full = np.zeros(SIZE, bool)
    full[top : top + box.shape[0], left : left + box.shape[1]] = box
    return full


def cocoapi(path: Path) -> Masks:
    """cocoapi's own class."""
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(None):
        coco = COCO(str(path / "file"))
    return {
        (number(coco.imgs[one["image_id"]]["file_name"]), number(coco.cats[one["category_id"]]["name"])): (
            coco.annToMask(one) > 0
        )
        for one in coco.anns.values()
    }


def datumaro(path: Path) -> Masks:
    """datumaro's reader of COCO, which wants its own folders."""
    import datumaro

    root = path / "dataset"
    shutil.copytree(path.parent / "images", root / "images" / "default", dirs_exist_ok=True)
    (root / "annotations").mkdir(exist_ok=True)
    shutil.copy(path / "file", root / "annotations" / "instances_default.json")
    found = datumaro.Dataset.import_from(str(root), "coco_instances")
    names = found.categories()[datumaro.AnnotationType.label]
    return {
        (number(item.id), number(names[one.label].name)): np.asarray(one.image) > 0
        for item in found
        for one in item.annotations
        if one.type == datumaro.AnnotationType.mask
    }


def supervision(path: Path) -> Masks:
    """supervision's readers of COCO and of YOLO."""
    from supervision import DetectionDataset

    images = str(path.parent / "images")
    if path.name == "yolo":
        labels, names = str(path / "labels" / "train"), str(path / "data.yaml")
        found = DetectionDataset.from_yolo(images, labels, names, force_masks=True)
    else:
        found = DetectionDataset.from_coco(images, str(path / "file"), force_masks=True)
    return {
        (number(Path(name).stem), number(found.classes[kind])): mask
        for name, _, seen in found
        if seen.mask is not None
        for mask, kind in zip(seen.mask, seen.class_id, strict=True)
    }


def cvat(path: Path) -> Masks:
    """CVAT's `MaskConverter`: runs along the rows of the box, zeros first."""
    masks: Masks = {}
    for image in ElementTree.parse(path / "file").getroot().iter("image"):
        for mask in image.iter("mask"):
            left, top, width, height = (int(mask.get(key, "")) for key in ("left", "top", "width", "height"))
            runs = [int(run) for run in mask.get("rle", "").split(",")]
            box = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)
            masks[int(image.get("id", "")), number(mask.get("label"))] = placed(box, left, top)
    return masks


def labelme(path: Path) -> Masks:
    """LabelMe's `shape_to_mask`, with Pillow."""
    masks: Masks = {}
    for file in path.glob("*.json"):
        for shape in json.loads(file.read_text("utf-8"))["shapes"]:
            box = np.asarray(Image.open(io.BytesIO(base64.b64decode(shape["mask"])))) > 0
            left, top = shape["points"][0]
            masks[number(file.stem), number(shape["label"])] = placed(box, left, top)
    return masks


def label_studio(path: Path) -> Masks:
    """Label Studio's SDK."""
    from label_studio_sdk.converter import brush

    masks: Masks = {}
    for task in json.loads((path / "file").read_text("utf-8")):
        for result in task["predictions"][0]["result"]:
            pixels = brush.decode_rle(result["value"]["rle"]).reshape(*SIZE, 4)[..., 3] > 127
            masks[number(task["data"]["image"]), number(result["value"]["brushlabels"][0])] = pixels
    return masks


def _bitmap(bitmap: Any) -> npt.NDArray[np.bool_]:
    """Supervisely's `Bitmap.base64_2_data`."""
    image = Image.open(io.BytesIO(zlib.decompress(base64.b64decode(bitmap["data"]))))
    return placed(np.asarray(image.convert("RGBA"))[..., 3] > 0, *bitmap["origin"])


def supervisely(path: Path) -> Masks:
    """The files of images and of video."""

    def drawn() -> Iterator[tuple[tuple[int, int], npt.NDArray[np.bool_]]]:
        for file in (path / "ds0" / "ann").glob("*.json"):
            content = json.loads(file.read_text("utf-8"))
            names = {one.get("key"): one["classTitle"] for one in content["objects"]}
            for one in content["objects"] if "frames" not in content else ():
                yield (number(file.name.split(".")[0]), number(one["classTitle"])), _bitmap(one["bitmap"])
            for frame in content.get("frames", ()):
                for figure in frame["figures"]:
                    at = number(names[figure["objectKey"]])
                    yield (frame["index"], at), _bitmap(figure["geometry"]["bitmap"])

    return dict(drawn())


READERS: tuple[tuple[str, Callable[[Path], Masks]], ...] = (
    ("coco", cocoapi),
    ("coco", datumaro),
    ("coco", supervision),
    ("coco-polygons", cocoapi),
    ("coco-polygons", supervision),
    ("cvat", cvat),
    ("labelme", labelme),
    ("label-studio", label_studio),
    ("supervisely", supervisely),
    ("supervisely-video", supervisely),
    ("yolo", supervision),
)


def check(root: Path) -> None:
    """A line for each reader: how many masks differ, and J over all."""
    truth = np.load(root / "truth.npy")
    expected = {
        (frame, at): truth[frame] == at
        for frame in range(len(truth))
        for at in (1, 2)
        if (truth[frame] == at).any()
    }
    print("| format | reader | masks that differ | J |\n|---|---|---:|---:|")
    for name, read in READERS:
        found = read(root / name)
        nothing = np.zeros(SIZE, bool)
        pairs = [(expected.get(key, nothing), found.get(key, nothing)) for key in expected | found]
        differ = sum(not np.array_equal(one, other) for one, other in pairs)
        j = np.mean([np.count_nonzero(one & other) / np.count_nonzero(one | other) for one, other in pairs])
        print(f"| {name} | {read.__name__} | {differ} of {len(pairs)} | {j:.3f} |")


def main() -> None:
    """Write or check."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("write", "check"))
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    (write if options.what == "write" else check)(options.folder)


if __name__ == "__main__":
    main()
