"""Encodings of whole videos: several ways to store one object, room for more, and a new one as a line."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.damage import Damage, damages
from tests.media.masks.mask_files import (
    GREEN,
    RED,
    Masks,
    blobs,
    drawn,
    palette_png,
    pillow,
    png,
    smooth,
)
from vsodtool.config import EvaluateConfig, PseudoLabelConfig
from vsodtool.errors import DataError
from vsodtool.media.masks.detection import Group
from vsodtool.media.masks.encoding import ENCODINGS, Encoding, MaskEncoding, detect_encoding
from vsodtool.media.masks.meaning import Meaning
from vsodtool.media.masks.plane_png import Palette, encode_plane_png
from vsodtool.media.masks.reading import Container, RawMask, read_raw_mask
from vsodtool.media.masks.statistics import summarise
from vsodtool.pipelines.evaluate import run_evaluate
from vsodtool.pipelines.pseudolabel import run_pseudolabel

EMPTY = {
    "8-bit": (png(blobs()), "binary255"),
    "16-bit": (png(blobs(dtype=np.uint16)), "binary65535"),
    "palette": (palette_png(blobs()), "palette"),
    "colour": (png(np.zeros((60, 80, 3), np.uint8)), "binary255"),
    "transparent": (png(np.zeros((60, 80, 4), np.uint8)), "colour"),
}


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_but_empty_masks(tmp_path: Path, name: str) -> None:
    data, kind = EMPTY[name]
    masks = Masks(tmp_path, [data, data])
    assert masks.encoding.kind == kind
    assert not masks.labels().any()
    assert not np.asarray(masks.given()).any()


@pytest.mark.parametrize("empty", ["8-bit", "16-bit", "palette", "colour", "transparent"])
@pytest.mark.parametrize("drawn", ["grey", "palette", "colour", "ids16"])
def test_empty_masks_go_with_everything(tmp_path: Path, empty: str, drawn: str) -> None:
    files = {
        "grey": png(blobs(255)),
        "palette": palette_png(blobs(2)),
        "colour": png(np.dstack([blobs(200), blobs(), blobs()])),
        "ids16": png(blobs(300, dtype=np.uint16)),
    }
    masks = Masks(tmp_path, [EMPTY[empty][0], files[drawn]])
    assert not masks.labels(0).any()
    assert masks.labels(1).any()
    assert masks.given(0).mode == masks.given(1).mode
    assert not np.asarray(masks.given(0)).any()


CUT_OUT = np.dstack([np.full((60, 80, 3), 9, np.uint8), blobs(255)])
ONE_OBJECT = {
    "0/255": png(blobs(255)),
    "0/1": png(blobs(1)),
    "soft": png(smooth()),
    "16 bit": png(blobs(65535, dtype=np.uint16)),
    "palette": palette_png(blobs(3)),
    "drawn": png(drawn(RED)),
    "cut out": png(CUT_OUT),
}


@pytest.mark.parametrize("first", ONE_OBJECT)
@pytest.mark.parametrize("second", ONE_OBJECT)
def test_masks_of_one_object_may_be_stored_in_several_ways(tmp_path: Path, first: str, second: str) -> None:
    if {first, second} == {"0/1", "soft"}:
        return  # 1 is a soft value
    masks = Masks(tmp_path, [ONE_OBJECT[first], ONE_OBJECT[second], palette_png(blobs())])
    if first != second:
        assert masks.ids == (1,)
    for index, name in enumerate((first, second)):
        assert np.array_equal(masks.labels(index) > 0, smooth() >= 128 if name == "soft" else blobs(1))
        given_back = np.asarray(masks.given(index))
        if name in ("drawn", "cut out"):
            assert np.array_equal(given_back, blobs(255))
        else:
            own = Image.open(io.BytesIO(ONE_OBJECT[name]))
            assert np.array_equal(given_back, np.asarray(own))
            assert (masks.given(index).mode == "P") == (own.mode == "P")
        back = tmp_path / "back.png"
        back.write_bytes(masks.encoding.encode_given(masks.raw[index]))
        assert np.array_equal(masks.encoding.read_written(read_raw_mask(back)), masks.labels(index))
    assert not masks.labels(2).any()
    assert not np.asarray(masks.given(2)).any()


@pytest.mark.parametrize(
    "files",
    [
        [png(blobs(1, 2)), palette_png(blobs(1))],
        [palette_png(blobs(1, 2)), png(blobs(255))],
        [png(blobs(1, 2)), png(blobs(65535, dtype=np.uint16))],
        [palette_png(blobs(1)), png(drawn(RED, GREEN))],
    ],
)
def test_mixtures_of_several_objects_are_refused(tmp_path: Path, files: list[bytes]) -> None:
    with pytest.raises(DataError, match=r"\.png: expected a \w+ mask like \d\.png, found \w+") as caught:
        Masks(tmp_path, files)
    assert "one encoding" in caught.value.hint


COLOURS = bytes([0, 0, 0, 200, 0, 0, 0, 200, 0, 0, 0, 200, 200, 0, 0])  # 4 looks like 1


def in_colours(indices: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """As an editor saves a mask of COLOURS as RGB."""
    return np.frombuffer(COLOURS, np.uint8).reshape(-1, 3)[indices]


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_mask_in_the_colours_of_the_palette_of_the_others_is_of_their_ids(
    tmp_path: Path, place: int, alpha: bool
) -> None:
    painted = blobs(1, 2, 3)
    painted[50, 5:9] = 1  # a line that is thinner than what statistics tell of
    rgb = in_colours(painted)
    if alpha:
        rgb = np.dstack([rgb, np.full(painted.shape, 255, np.uint8)])
    files = [palette_png(blobs(1, 2), COLOURS), palette_png(blobs(2), COLOURS)]
    files.insert(place, png(rgb))
    masks = Masks(tmp_path, files)
    assert (masks.encoding.kind, masks.ids) == ("palette", (1, 2, 3))
    assert np.array_equal(masks.labels(place), painted)
    assert masks.encoding.fits(masks.raw[place])
    assert masks.given(place).mode == "P"
    assert np.array_equal(np.asarray(masks.given(place)), painted)
    way = masks.encoding.way_of(summarise(tmp_path / "a.png", masks.raw[place]))
    assert way == masks.encoding.digest


def test_colours_that_the_palette_lacks_are_refused_with_what_to_do(tmp_path: Path) -> None:
    rgb = in_colours(blobs(1, 2))
    rgb[50, 5] = (201, 0, 0)
    files = [png(rgb), palette_png(blobs(1, 2), COLOURS), palette_png(blobs(1, 2), COLOURS)]
    with pytest.raises(
        DataError, match=r"0\.png: expected a palette mask like 1\.png, found colours"
    ) as caught:
        Masks(tmp_path, files)
    assert "indexed" in caught.value.hint


def panoptic(group: Group) -> Meaning | None:
    """As COCO's panoptic masks have it: id = R + 256 G; here the blue channel is 77 wherever something is."""
    if "colour" not in group.families or any(colour & 0xFFFF != 77 for colour in group.drawn().counts):
        return None
    ids = {(colour >> 32) + 256 * (colour >> 16 & 0xFFFF) for colour in group.drawn().counts}
    return Meaning(tuple(sorted(ids)), "colour")


def test_a_toy_encoding_through_nothing_but_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(raw: RawMask, _: Meaning) -> npt.NDArray[np.uint16]:
        assert raw.rgb is not None
        return (raw.rgb[..., 0] + raw.rgb[..., 1].astype(np.uint16) * 256).astype(np.uint16)

    def encode(labels: npt.NDArray[np.uint16], _: Meaning) -> bytes:
        drawn = np.where(labels > 0, 77, 0)
        return encode_plane_png(np.dstack([labels % 256, labels // 256, drawn]).astype(np.uint8))

    monkeypatch.setitem(ENCODINGS, "panoptic", Encoding("R + 256 G", panoptic, decode, encode))
    monkeypatch.setattr(
        "vsodtool.media.masks.encoding.ENCODINGS",
        {"panoptic": ENCODINGS["panoptic"], **ENCODINGS},  # before those that take all that is in colour
    )
    labels = blobs(3, 700, dtype=np.uint16)
    frames, masks, out, truth = (tmp_path / name for name in ("clip", "masks", "out", "truth"))
    for folder in (frames, masks, truth):
        folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(frames / f"{number}.png"), np.random.default_rng(0).integers(0, 255, (60, 80, 3)))
        (truth / f"{number}.png").write_bytes(encode(labels, Meaning()))
    (masks / "0.png").write_bytes(encode(labels, Meaning()))
    config = PseudoLabelConfig(inputs=(str(frames),), masks=masks, output=out, method="warp", quality="fast")
    heard: list[str] = []
    run_pseudolabel(config, on_event=lambda event: heard.append(event.message))
    assert any("1 mask for 3 frames, R + 256 G, 2 objects" in line for line in heard)
    written = read_raw_mask(out / "masks" / "clip" / "2.png")
    assert np.mean(decode(written, Meaning()) == labels) > 0.98
    scores = run_evaluate(EvaluateConfig(predictions=(str(out), str(truth)), protocol="davis"))
    assert scores.methods[0].objects == {"truth": 2}
    assert scores.methods[0].scores["j_mean"] > 0.95


FILES = [
    *ONE_OBJECT.values(),
    png(blobs(1, 2)),
    palette_png(blobs(1, 2)),
    png(drawn(RED, GREEN)),
    *(pillow(blobs(1, 2), form) for form in ("BMP", "GIF", "TIFF")),
    *(cv2.imencode(suffix, smooth())[1].tobytes() for suffix in (".jpg", ".bmp", ".tiff", ".webp")),
]


@given(st.sampled_from(FILES), damages())
@settings(max_examples=20 * len(FILES), deadline=None)
def test_a_damaged_mask_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, damage: Damage
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.png"
    path.write_bytes(damage.of(data))
    try:
        raw = read_raw_mask(path)
        encoding, _ = detect_encoding([summarise(path, raw)])
    except DataError as error:
        refused = error.message
    else:
        refused = ""
        assert encoding.labels(raw).shape == raw.size
        assert encoding.encode_given(raw).startswith(b"\x89PNG")
    assert not refused or str(path) in refused


def test_colours_to_show_objects_in(tmp_path: Path) -> None:
    encoding = Masks(tmp_path, [palette_png(blobs(1, 3))]).encoding
    assert [encoding.colour(number) for number in (1, 2, 3)] == [(128, 0, 0), (0, 128, 0), (128, 128, 0)]
    assert encoding.colour(9) is None  # black


def test_masks_without_colours_have_none(tmp_path: Path) -> None:
    assert Masks(tmp_path, [png(blobs(255))]).encoding.colour(1) is None


COLOURS = bytes(value for index in range(256) for value in (index, 255 - index, 7))


@pytest.mark.parametrize("container", ["grey8", "grey16", "palette"])
@given(largest=st.integers(1, 300))
def test_room_for_more_ids(
    tmp_path_factory: pytest.TempPathFactory, container: Container, largest: int
) -> None:
    """Whatever has room holds the ids, and shows those that it had as it did."""
    kind = {"grey8": "ids8", "grey16": "ids16", "palette": "palette"}[container]
    palette = Palette(b"\0\0\0\1\2\3\4\5\6") if container == "palette" else None
    meaning = Meaning((1, 2), container, frozenset({container}), palette=palette)
    encoding = MaskEncoding(kind, meaning)
    found = encoding.with_room(largest, COLOURS)
    if largest > 254 and container != "grey16":
        assert found is None
        return
    assert found is not None
    labels = np.array([[0, 1, largest]], np.uint16)
    path = tmp_path_factory.mktemp("room") / "mask.png"
    path.write_bytes(found.encode(labels))
    raw = read_raw_mask(path)
    assert found.labels(raw).tolist() == labels.tolist()
    if palette is not None:
        assert raw.palette is not None
        assert [raw.palette.colour(index).hex() for index in (1, 2)] == ["010203", "040506"]


def test_no_room_in_what_holds_no_ids() -> None:
    binary = MaskEncoding("binary255", Meaning((1,), "grey8", threshold=128))
    assert binary.with_room(1, COLOURS) is None
    colours = MaskEncoding("colours", Meaning((1, 2), "colour", colours=(1 << 32, 2 << 32)))
    assert colours.with_room(2, COLOURS) == colours
    assert colours.with_room(3, COLOURS) is None
