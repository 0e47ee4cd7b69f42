"""Writing CVAT XML 1.1: masks or polygons of images, tracks of polygons for video. Facts: see `cvat`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from vsodtool.checks import whole_number
from vsodtool.errors import DataError
from vsodtool.media.annotations.model import Annotations, FrameLabels, Shape
from vsodtool.media.annotations.rings import one_ring, trace_parts
from vsodtool.media.annotations.runs import MaskArray, encode_runs
from vsodtool.media.annotations.shapes import cut_out
from vsodtool.types import Size


def write_cvat(annotations: Annotations, *, polygons: bool) -> Iterator[str]:
    """CVAT for images, piece by piece: an `<image>` for each frame, a `<mask>` for each object.

    Never tracks of masks: CVAT keeps the first shape of such a track and drops the rest.

    Args:
        annotations: the frames of one video; their sizes are known.
        polygons: polygons instead of masks, holes as cuts of no width, a polygon for each part.
    """
    frames = [frame for video in annotations.videos for frame in video.frames]
    from_file = any(video.is_file for video in annotations.videos)
    yield _head(annotations, frames, mode="annotation", kind="polygon" if polygons else "mask")
    for place, frame in enumerate(frames):
        number = frame.key.number_or(place)
        height, width = frame.key.known_size
        named = frame.key.name and not from_file
        name = quoteattr(frame.key.name if named else f"frame_{number:06d}")
        yield f'  <image id="{number}" name={name} width="{width}" height="{height}">\n'
        for shape in frame.shapes:
            mask = shape.draw((height, width))
            if not mask.any():
                continue
            source = "manual" if shape.score is None else "auto"
            group = f' group_id="{shape.number}"' if shape.number else ""
            start = f'label={quoteattr(shape.category)} source="{source}" occluded="0"'
            end = f'z_order="{shape.z}"{group}'
            yield from _polygons(mask, start, end) if polygons else (_mask_element(mask, start, end),)
        yield "  </image>\n"
    yield "</annotations>\n"


def write_cvat_video(annotations: Annotations) -> Iterator[str]:
    """CVAT for video, piece by piece: a track of polygons for each object, a key frame in each frame.

    Raises:
        DataError: an object has several parts or a hole in some frame, which a polygon track cannot hold.
    """
    frames = [frame for video in annotations.videos for frame in video.frames]
    yield _head(annotations, frames, mode="interpolation", kind="polygon")
    tracks: dict[tuple[str, str], list[tuple[int, Shape, Size]]] = defaultdict(list)
    numbers = [frame.key.number_or(place) for place, frame in enumerate(frames)]
    for number, frame in zip(numbers, frames, strict=True):
        for shape in frame.shapes:
            tracks[shape.track or shape.category, shape.category].append(
                (number, shape, frame.key.known_size)
            )
    following = dict(pairwise(numbers))
    # Ids of tracks are ids of objects where they can be.
    stated = [whole_number(track) for track, _ in tracks]
    distinct = {number for number in stated if number is not None}
    ids = stated if len(distinct) == len(tracks) else range(len(tracks))
    for own, ((_, category), drawn) in zip(ids, tracks.items(), strict=True):
        yield f'  <track id="{own}" label={quoteattr(category)} source="manual">\n'
        present = {number for number, _, _ in drawn}
        for number, shape, size in drawn:
            parts = trace_parts(shape.draw(size))
            if len(parts) != 1 or parts[0].holes:
                holes = sum(len(part.holes) for part in parts)
                raise DataError(
                    f"{category} in frame {number}: expected an object of one part without holes for a "
                    f"polygon track, found {len(parts)} parts and {holes} holes",
                    "write --to cvat, which holds any mask",
                )
            points = ";".join(f"{x:.2f},{y:.2f}" for x, y in parts[0].outline)
            yield _track_polygon(number, points, outside=False)
            after = following.get(number)
            if after is not None and after not in present:
                yield _track_polygon(after, points, outside=True)
        yield "  </track>\n"
    yield "</annotations>\n"


def _track_polygon(number: int, points: str, *, outside: bool) -> str:
    return (
        f'    <polygon frame="{number}" keyframe="1" outside="{int(outside)}" occluded="0" '
        f'points="{points}" z_order="0">\n    </polygon>\n'
    )


def _head(annotations: Annotations, frames: list[FrameLabels], *, mode: str, kind: str) -> str:
    size = frames[0].key.known_size if frames else (0, 0)
    last = max(0, len(frames) - 1) if not frames or frames[-1].key.number is None else frames[-1].key.number
    first = (frames[0].key.number or 0) if frames else 0
    labels = "".join(
        f"        <label><name>{escape(category.name)}</name>"
        + (f"<color>{escape(category.color)}</color>" if category.color else "")
        + f"<type>{kind}</type><attributes></attributes></label>\n"
        for category in annotations.categories
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n'
        "  <meta>\n    <task>\n"
        f"      <name>{escape(next((video.name for video in annotations.videos), ''))}</name>\n"
        f"      <size>{len(frames)}</size>\n      <mode>{mode}</mode>\n"
        f"      <start_frame>{first}</start_frame>\n      <stop_frame>{last}</stop_frame>\n"
        f"      <frame_filter></frame_filter>\n      <labels>\n{labels}      </labels>\n"
        f"      <original_size><width>{size[1]}</width><height>{size[0]}</height></original_size>\n"
        "    </task>\n  </meta>\n"
    )


def _mask_element(mask: MaskArray, start: str, end: str) -> str:
    box, left, top = cut_out(mask)
    runs = ", ".join(map(str, encode_runs(box, "rows")))
    return (
        f'    <mask {start} rle="{runs}" left="{left}" top="{top}" '
        f'width="{box.shape[1]}" height="{box.shape[0]}" {end}>\n    </mask>\n'
    )


def _polygons(mask: MaskArray, start: str, end: str) -> Iterator[str]:
    for part in trace_parts(mask):
        points = ";".join(f"{x:.2f},{y:.2f}" for x, y in one_ring([part]))
        yield f'    <polygon {start} points="{points}" {end}>\n    </polygon>\n'
