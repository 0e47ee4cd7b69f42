"""The labels of an output folder as annotations: which frames, corrections first, names of objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.media.masks.mask_files import png
from tests.pipelines.reviewing.conftest import PALETTE, MakeOut, Out
from vsodtool.config import ConvertConfig
from vsodtool.errors import DataError, UsageError
from vsodtool.media.annotations.model import Annotations
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.pipelines.converting.of_output import labels_of_output
from vsodtool.pipelines.reviewing.notes import Notes
from vsodtool.types import Event


def read(out: Out, **options: Any) -> Annotations:
    config = ConvertConfig(source=out.root, output="x", to="coco", **options)
    return labels_of_output(config, "", None)[0]


def numbers(out: Out, **options: Any) -> list[int]:
    return [int(frame.key.stem) for frame in read(out, **options).videos[0].frames]


def test_every_frame_with_its_objects_and_its_confidence(make_out: MakeOut) -> None:
    out = make_out(objects=2)
    made = read(out)
    (video,) = made.videos
    assert video.name == "clip"
    assert [frame.key.name for frame in video.frames] == [f"{name}.png" for name in out.names]
    assert [category.name for category in made.categories] == ["object 1", "object 2"]
    for number, frame in enumerate(video.frames):
        given = number % 4 == 0
        for shape in frame.shapes:
            np.testing.assert_array_equal(shape.draw(out.size), out.ids[number] == int(shape.track or 0))
            assert shape.score == (None if given else pytest.approx(0.9 - 0.07 * (number % 4)))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, list(range(9))),
        ({"frames": "given"}, [0, 4, 8]),
        ({"frames": "generated"}, [1, 2, 3, 5, 6, 7]),
        ({"frames": "every:3"}, [0, 3, 6]),
        ({"frames": "corrected"}, []),
        ({"max_confidence": 0.7}, [3, 7]),
        ({"frames": "given", "max_confidence": 0.7}, []),
    ],
)
def test_which_frames(options: dict[str, Any], expected: list[int], make_out: MakeOut) -> None:
    assert numbers(make_out(), **options) == expected


def test_a_correction_stands_for_the_mask_that_it_corrects(make_out: MakeOut) -> None:
    out = make_out()
    path = out.correction(2)
    path.parent.mkdir(parents=True)
    drawn = np.zeros(out.size, np.uint8)
    drawn[20:, 20:] = 1
    path.write_bytes(encode_plane_png(drawn, PALETTE))
    assert numbers(out, frames="corrected") == [2]
    (shape,) = read(out).videos[0].frames[2].shapes
    np.testing.assert_array_equal(shape.draw(out.size), drawn == 1)


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        *(("corrections", kind) for kind in ("other colours", "another size", "damaged")),
        *(("masks", kind) for kind in ("other colours", "another size")),
    ],
)
def test_what_somebody_saved_and_cannot_be_used_is_left_out_and_told(
    make_out: MakeOut, place: str, kind: str
) -> None:
    out, heard = make_out(objects=2), list[Event]()
    noise = np.random.default_rng(1).integers(0, 4, (*out.size, 3), np.uint8) * 60
    spoilt = {"other colours": png(noise), "another size": png(noise[:5, :, 0]), "damaged": png(noise)[:90]}
    path = out.root / place / "clip" / "00002.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(spoilt[kind])
    config = ConvertConfig(source=out.root, output="x", to="coco")
    made = labels_of_output(config, "", None, heard.append)[0]
    assert [int(frame.key.stem) for frame in made.videos[0].frames] == [0, 1, 3, 4, 5, 6, 7, 8]
    assert len(made.categories) == 2
    (event,) = heard
    assert (event.kind, event.video) == ("warning", "clip")
    assert f"{place}/clip/00002.png: " in event.message
    assert numbers(out, frames="given") == [0, 4, 8]


def test_a_correction_stands_for_a_mask_that_cannot_be_used(make_out: MakeOut) -> None:
    out, heard = make_out(objects=2), list[Event]()
    out.layout.masks("clip", "00002").write_bytes(png(np.full((3, 4), 255, np.uint8)))
    path = out.correction(2)
    path.parent.mkdir(parents=True)
    path.write_bytes(png(np.frombuffer(PALETTE.colours, np.uint8).reshape(-1, 3)[out.ids[5]]))
    config = ConvertConfig(source=out.root, output="x", to="coco")
    made = labels_of_output(config, "", None, heard.append)[0]
    first, _ = made.videos[0].frames[2].shapes
    np.testing.assert_array_equal(first.draw(out.size), out.ids[5] == 1)
    assert not heard


def test_frames_of_a_list_and_those_that_were_flagged(make_out: MakeOut, tmp_path: Path) -> None:
    out = make_out()
    listed = tmp_path / "list.txt"
    listed.write_text("00003\nclip/00005\r\n\n")
    assert numbers(out, frames=str(listed)) == [3, 5]
    listed.write_text("00003\n99999\n")
    with pytest.raises(UsageError, match="line 2: expected a frame of clip, found '99999'"):
        numbers(out, frames=str(listed))
    Notes(out.layout).set("clip", "00006", "bad", "")
    Notes(out.layout).set("clip", "00007", "ok", "")
    assert numbers(out, frames=str(out.layout.notes)) == [6]
    with pytest.raises(UsageError, match="a file of frame names, found"):
        numbers(out, frames=str(tmp_path / "none.txt"))


def test_what_is_not_there_is_named(make_out: MakeOut) -> None:
    out = make_out()
    with pytest.raises(DataError, match="expected the video 'other', found clip"):
        read(out, video="other")
    out.layout.masks("clip", "00003").unlink()
    with pytest.raises(DataError, match=r"00003\.png: expected a mask, found none"):
        read(out)
