"""VIA 2, the VGG Image Annotator: polygons, circles and ellipses of images. Read only.

The class is the attribute of regions that all regions have; of several the one that is called like a class.
VIA 3 has no polygons on video.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vsodtool.media.annotations.json_tree import Tree, load_json, top_level_keys
from vsodtool.media.annotations.model import (
    Annotations,
    Draw,
    FrameKey,
    FrameLabels,
    ReadOptions,
    Shape,
    ShapeKind,
    VideoLabels,
)
from vsodtool.media.annotations.shapes import box_ring, coco_polygon, ellipse_ring, picture_polygon
from vsodtool.media.annotations.source import Source

_PROJECT = "_via_img_metadata"
_CLASSES = ("label", "class", "type", "name", "category", "object")
_KINDS: dict[str, ShapeKind] = {
    "polygon": "polygon",
    "circle": "ellipse",
    "ellipse": "ellipse",
    "rect": "box",
}


def detect_via(source: Source) -> tuple[str, ...]:
    """The JSON files of a source that are projects or lists of regions.

    Raises:
        DataError: a file cannot be read.
    """
    names = source.files_of(".json")
    return tuple(name for name in names if {_PROJECT, "{regions}"} & (top_level_keys(source, name) or set()))


def read_via(source: Source, names: tuple[str, ...], options: ReadOptions) -> Annotations:
    """Read region files or projects.

    Raises:
        DataError: an entry is missing or cannot be read.
    """
    left_out: Counter[str] = Counter()
    frames: list[FrameLabels] = []
    for name in names:
        tree = load_json(source, name)
        images = [image for _, image in (tree.get(_PROJECT) or tree).items()]
        attribute = _class_attribute([region for image in images for region in _regions(image)])
        for image in images:
            shapes = [_read(region, attribute, options, left_out) for region in _regions(image)]
            drawn = tuple(shape for shape in shapes if shape is not None)
            frames.append(FrameLabels(FrameKey(image["filename"].text()), drawn))
    return Annotations(str(source.path), "via", (VideoLabels("", tuple(frames)),), left_out=left_out)


def _regions(image: Tree) -> Iterator[Tree]:
    """The regions of an image, a list or, in VIA 1, an object of them."""
    regions = image["regions"]
    if isinstance(regions.value, dict):
        yield from (region for _, region in regions.items())
    else:
        yield from regions


def _class_attribute(regions: list[Tree]) -> str:
    """The attribute that is the class; "" if none is: then everything is an object, told apart on request."""
    known = [_attributes(region).keys() for region in regions]
    shared = sorted(set.intersection(*map(set, known))) if known else []
    if len(shared) == 1:
        return shared[0]
    return next((name for name in _CLASSES if name in shared), "")


def _attributes(region: Tree) -> dict[str, str]:
    found = region.get("region_attributes")
    if found is None:
        return {}
    return {key: str(value.value) for key, value in found.items() if value.value not in (None, "")}


def _read(region: Tree, attribute: str, options: ReadOptions, left_out: Counter[str]) -> Shape | None:
    drawn = region["shape_attributes"]
    kind = drawn["name"].text()
    if kind not in _KINDS or (kind == "rect" and not options.boxes):
        left_out["box" if kind == "rect" else kind] += 1
        return None
    place, said = region.where, _attributes(region)
    draw = options.attempt(left_out, _draw, drawn, kind, place)
    if draw is None:
        return None
    return Shape(
        said.get(attribute, "object"), draw, place, _KINDS[kind], part_of=said.get(attribute), attributes=said
    )


def _draw(drawn: Tree, kind: str, place: str) -> Draw:
    if kind == "polygon":
        xs, ys = drawn["all_points_x"].numbers(), drawn["all_points_y"].numbers()
        if len(xs) != len(ys):
            raise drawn["all_points_y"].refused(f"{len(xs)} numbers, as many as all_points_x has")
        return picture_polygon([value for point in zip(xs, ys, strict=True) for value in point], place)
    if kind == "rect":
        x, y, w, h = (drawn[key].number() for key in ("x", "y", "width", "height"))
        return picture_polygon(box_ring(x, y, x + w, y + h), place)
    centre = drawn["cx"].number(), drawn["cy"].number()
    radii = (
        (drawn["r"].number(), drawn["r"].number())
        if kind == "circle"
        else (drawn["rx"].number(), drawn["ry"].number())
    )
    return coco_polygon([ellipse_ring(centre, radii)], place)
