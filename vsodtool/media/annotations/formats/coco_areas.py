"""COCO's `segmentation` and `bbox`, in which other formats store areas too: rings, runs, boxes."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from vsodtool.errors import DataError
from vsodtool.media.annotations.json_tree import Tree
from vsodtool.media.annotations.model import Draw
from vsodtool.media.annotations.runs import MaskArray, decode_counts, decode_runs, encode_runs, transposed
from vsodtool.media.annotations.shapes import box_ring, coco_polygon, cut_out, full_mask
from vsodtool.types import Size


class RunLengthCode(TypedDict):
    """An uncompressed code: (H, W), and the runs down the columns, zeros first."""

    size: list[int]
    counts: list[int]


def read_segmentation(tree: Tree, size: Size | None, place: str) -> Draw:
    """A `segmentation`: a run-length code or a polygon, which its type says and `iscrowd` does not.

    Args:
        tree: the entry.
        size: (H, W) of its image, None if the file does not say.
        place: of the shape, for messages when it is drawn.

    Raises:
        DataError: it is neither; or as `rle_mask`.
    """
    if isinstance(tree.value, dict):
        return rle_mask(tree, size)
    return coco_polygon(read_rings(tree), place)


def read_rings(tree: Tree) -> list[list[float]]:
    """The rings of a polygon: a list of flat lists, or one flat list.

    Raises:
        DataError: it is neither.
    """
    if isinstance(tree.value, list) and tree.value and not isinstance(tree.value[0], list):
        return [tree.numbers()]
    return [ring.numbers() for ring in tree]


def read_box(tree: Tree, place: str) -> Draw:
    """A box [x, y, w, h] in pixels as a mask.

    Args:
        tree: the entry.
        place: of the shape, for messages when it is drawn.

    Raises:
        DataError: it is no list of four numbers.
    """
    values = tree.numbers()
    if len(values) != 4:
        raise tree.refused("four numbers [x, y, w, h]")
    x, y, w, h = values
    return coco_polygon([box_ring(x, y, x + w, y + h)], place)


def rle_mask(tree: Tree, size: Size | None) -> Draw:
    """A run-length code `{"size": [h, w], "counts": ...}`, compressed or not, decoded when it is drawn.

    Args:
        tree: the entry.
        size: (H, W) of its image, None if the file does not say.

    Raises:
        DataError: the size is no size or not that of the image; on drawing, the runs do not fit it.
    """
    sides = [side.whole(1, 2**20) for side in tree["size"]]
    if len(sides) != 2:
        raise tree["size"].refused("[height, width]")
    own: Size = (sides[0], sides[1])
    if size is not None and own != size:
        swapped = " (width and height are swapped)" if own == size[::-1] else ""
        raise tree["size"].refused(f"[{size[0]}, {size[1]}] like its image{swapped}")
    counts = tree["counts"]
    if not isinstance(counts.value, (str, list)):
        raise counts.refused("a text or a list of runs")
    place = tree.where

    def draw(frame: Size) -> MaskArray:
        return full_mask(_decode_rle(counts, own), place)(frame)

    return draw


def _decode_rle(counts: Tree, size: Size) -> MaskArray:
    """The mask, bool (H, W), of COCO's counts: a compressed text, or a list of runs.

    Raises:
        DataError: they are damaged or do not add up to the pixels of `size`.
    """
    try:
        if isinstance(counts.value, str):
            runs = decode_counts(counts.value)
        else:
            runs = [run.whole(0) for run in counts]
        return decode_runs(runs, size, "columns")
    except ValueError as error:
        raise DataError(
            f"{counts.where}: {error}",
            "COCO counts down the columns of the whole image; runs within a box are CVAT's",
        ) from error


def counts_mask(text: str, size: Size, place: str, hint: str) -> Draw:
    """COCO's compressed text alone, of a frame of a size (H, W), decoded when it is drawn."""

    def draw(frame: Size) -> MaskArray:
        try:
            mask = decode_runs(decode_counts(text), size, "columns")
        except ValueError as error:
            raise DataError(f"{place}: {error}", hint) from error
        return full_mask(mask, place)(frame)

    return draw


def compressed_counts(mask: MaskArray) -> str:
    """COCO's compressed text of a mask, bool (H, W)."""
    from pycocotools import mask as coco  # not where masks are only scored: it takes a while

    text: str = coco.encode(transposed(mask).view(np.uint8).T)["counts"].decode("ascii")
    return text


def encode_rle(mask: MaskArray) -> RunLengthCode:
    """`{"size": [h, w], "counts": [runs]}` of a mask, bool (H, W)."""
    return {"size": list(mask.shape), "counts": encode_runs(mask, "columns")}


def bounding_box(mask: MaskArray) -> list[int]:
    """[x, y, w, h] of a mask, zeros for an empty one."""
    if not mask.any():
        return [0, 0, 0, 0]
    box, left, top = cut_out(mask)
    return [left, top, box.shape[1], box.shape[0]]
