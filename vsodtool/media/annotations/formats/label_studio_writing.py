"""Writing tasks of Label Studio: brushes or bitmasks of images, as predictions or annotations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlparse

from vsodtool.media.annotations.formats.label_studio import DATA_URL, is_decoded
from vsodtool.media.annotations.formats.rle_pack import pack_mask
from vsodtool.media.annotations.model import Annotations, Shape
from vsodtool.media.annotations.pictures import to_base64, transparent_png
from vsodtool.media.annotations.runs import MaskArray


def write_label_studio(
    annotations: Annotations,
    *,
    tag: str = "brush",
    image_url: str = "/data/local-files/?d={path}",
    from_name: str = "tag",
    to_name: str = "image",
    as_annotations: bool = False,
) -> Iterator[str]:
    """Tasks for images, piece by piece: predictions to look through, or annotations.

    Args:
        annotations: what to write; sizes of frames are known.
        tag: "brush", which every version reads, or "bitmask", which is smaller (2025 and later).
        image_url: where Label Studio finds an image; `{path}` is the video's name and the frame's.
        from_name: name of the tag in the labelling configuration.
        to_name: name of the image there.
        as_annotations: annotations, as an export has them; else predictions with the frame's confidence.
    """
    yield "["
    numbers = 0
    for video in annotations.videos:
        for frame in video.frames:
            numbers += 1
            folder = f"{video.name}/" if video.name else ""
            path = f"{folder}{frame.key.name.removeprefix(folder)}"
            results = [
                _result(shape, mask, f"r{numbers}{place}", tag, (from_name, to_name))
                for place, shape in enumerate(frame.shapes, 1)
                if (mask := shape.draw(frame.key.known_size)).any()
            ]
            scores = [shape.score for shape in frame.shapes if shape.score is not None]
            said: dict[str, Any] = {"result": results}
            if as_annotations:
                said = {"id": numbers, "was_cancelled": False, "ground_truth": False} | said
            else:
                said = {"model_version": "vsodtool", "score": min(scores, default=1.0)} | said
            what = [said] if frame.shapes or frame.empty else []  # else nobody said anything of it
            task = {
                "id": numbers,
                "data": {"image": _link_to(path, image_url)},
                "annotations": what if as_annotations else [],
                "predictions": [] if as_annotations else what,
            }
            yield (",\n" if numbers > 1 else "\n") + json.dumps(task, ensure_ascii=False)
    yield "\n]\n"


def _result(shape: Shape, mask: MaskArray, name: str, tag: str, names: tuple[str, str]) -> dict[str, Any]:
    value: dict[str, Any]
    if tag == "bitmask":
        value = {
            "imageDataURL": DATA_URL + to_base64(transparent_png(mask)),
            "bitmasklabels": [shape.category],
        }
    else:
        value = {"format": "rle", "rle": pack_mask(mask), "brushlabels": [shape.category]}
    return {
        "id": name,
        "type": f"{tag}labels",
        "from_name": names[0],
        "to_name": names[1],
        "origin": "manual" if shape.score is None else "prediction",
        "image_rotation": 0,
        "original_width": mask.shape[1],
        "original_height": mask.shape[0],
        "value": value,
    }


def _link_to(path: str, template: str) -> str:
    return template.replace("{path}", quote(path) if is_decoded(urlparse(template).scheme) else path)
