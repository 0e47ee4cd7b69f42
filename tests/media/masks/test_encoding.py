"""Every encoding of the contract: what labels it gives, and that masks given come back as they are."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vsodtool.errors import DataError
from vsodtool.media.masks.encoding import MaskEncoding, detect_encoding
from vsodtool.media.masks.plane_png import Palette, encode_plane_png
from vsodtool.media.masks.reading import RawMask, read_raw_mask
from vsodtool.media.masks.statistics import summarise

DAVIS = bytes([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]) + bytes(756)

Plane = npt.NDArray[np.uint8]


def blobs(*values: int, dtype: type = np.uint8) -> npt.NDArray[np.uint8]:
    """A mask of 60 x 80 with one block of 20 x 15 for every value."""
    mask = np.zeros((60, 80), dtype)
    for place, value in enumerate(values):
        mask[
            10 + 25 * (place // 4) : 30 + 25 * (place // 4), 2 + 20 * (place % 4) : 17 + 20 * (place % 4)
        ] = value
    return mask


def smooth(top: int = 255, sigma: float = 1.0) -> Plane:
    """An ellipse with anti-aliased or blurred edges."""
    disc = cv2.ellipse(np.zeros((60, 80), np.uint8), (40, 30), (25, 18), 20, 0, 360, top, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(disc, (0, 0), sigma).astype(np.uint8)


def png(pixels: npt.NDArray[np.generic], suffix: str = ".png") -> bytes:
    """RGB(A) or grey -> file."""
    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, order[pixels.shape[2]])
    return cv2.imencode(suffix, pixels)[1].tobytes()


def palette_png(indices: Plane, colours: bytes = DAVIS) -> bytes:
    return encode_plane_png(indices, Palette(colours))


class Masks:
    """Mask files of one video, read and judged together."""

    def __init__(self, folder: Path, files: Sequence[bytes], suffix: str = ".png") -> None:
        self.raw: list[RawMask] = []
        summaries = []
        for index, data in enumerate(files):
            path = folder / f"{index}{suffix}"
            path.write_bytes(data)
            self.raw.append(read_raw_mask(path))
            summaries.append(summarise(path, self.raw[-1]))
        self.encoding, self.ids = detect_encoding(summaries)

    def labels(self, index: int = 0) -> npt.NDArray[np.uint16]:
        found = self.encoding.labels(self.raw[index])
        assert found.dtype == np.uint16
        return found

    def given(self, index: int = 0) -> Image.Image:
        return Image.open(io.BytesIO(self.encoding.encode_given(self.raw[index])))

    def written(self, index: int = 0) -> Image.Image:
        return Image.open(io.BytesIO(self.encoding.encode(self.labels(index))))


def test_one_bit(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(blobs(255)).convert("1").save(buffer, "PNG")
    assert buffer.getvalue()[24] == 1
    masks = Masks(tmp_path, [buffer.getvalue()])
    assert masks.encoding.kind == "binary255"
    assert np.array_equal(masks.labels(), blobs(1))
    assert np.array_equal(np.asarray(masks.given()), blobs(255))
    assert np.array_equal(np.asarray(masks.written()), blobs(255))


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp"])
def test_grey_0_255(tmp_path: Path, suffix: str) -> None:
    quality = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    data = cv2.imencode(suffix, blobs(255), quality)[1].tobytes()
    masks = Masks(tmp_path, [data], suffix)
    assert (masks.encoding.kind, masks.ids) == ("binary255", (1,))
    assert np.array_equal(masks.labels(), blobs(1))
    for image in (masks.given(), masks.written()):
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), blobs(255))


@pytest.mark.parametrize(
    "values", [(1,), (128,), (38,), (1, 2), (38, 75), (1, 2, 7), (127, 255), (1, 255), (254,)]
)
def test_grey_ids(tmp_path: Path, values: tuple[int, ...]) -> None:
    masks = Masks(tmp_path, [png(blobs(*values)), png(blobs(values[0]))])
    assert (masks.encoding.kind, masks.ids) == ("ids8", values)
    assert np.array_equal(masks.labels(), blobs(*values))
    for image in (masks.given(), masks.written()):
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), blobs(*values))


def test_ids_of_objects_that_touch(tmp_path: Path) -> None:
    mask = np.zeros((60, 80), np.uint8)
    mask[10:50, 10:40], mask[10:50, 40:70], mask[30:40, 30:50] = 38, 75, 255
    masks = Masks(tmp_path, [png(mask)])
    assert masks.ids == (38, 75, 255)


def test_objects_may_come_one_by_one(tmp_path: Path) -> None:
    masks = Masks(tmp_path, [png(blobs(0, 75)), png(blobs()), png(blobs(38))])
    assert masks.ids == (38, 75)
    assert np.array_equal(np.asarray(masks.given(1)), blobs())


@pytest.mark.parametrize("values", [(65535,), (1,), (255,), (300, 700), (1, 2)])
def test_sixteen_bit(tmp_path: Path, values: tuple[int, ...]) -> None:
    mask = blobs(*values, dtype=np.uint16)
    masks = Masks(tmp_path, [png(mask)])
    binary = values == (65535,)
    assert (masks.encoding.kind, masks.ids) == (("binary65535", (1,)) if binary else ("ids16", values))
    assert np.array_equal(masks.labels(), mask > 0 if binary else mask)
    for image in (masks.given(), masks.written()):
        assert np.array_equal(np.asarray(image), mask)


def test_anti_aliased_sixteen_bit(tmp_path: Path) -> None:
    mask = smooth().astype(np.uint16) * 257
    masks = Masks(tmp_path, [png(mask)])
    assert masks.encoding.kind == "binary65535"
    assert np.array_equal(masks.labels(), mask >= 32768)
    assert np.array_equal(np.asarray(masks.given()), mask)


@pytest.mark.parametrize("sigma", [0.3, 1, 3, 8])
def test_anti_aliased_edges(tmp_path: Path, sigma: float) -> None:
    masks = Masks(tmp_path, [png(smooth(255, sigma)), png(blobs())])
    assert (masks.encoding.kind, masks.ids) == ("binary255", (1,))
    assert np.array_equal(masks.labels(), smooth(255, sigma) >= 128)
    assert np.array_equal(np.asarray(masks.given()), smooth(255, sigma)), "given masks keep their grey edges"
    assert set(np.unique(np.asarray(masks.written()))) == {0, 255}


def test_half_covered_straight_edges(tmp_path: Path) -> None:
    mask = blobs(255)
    mask[10:30, 2], mask[10, 2:17] = 127, 128
    masks = Masks(tmp_path, [png(mask)])
    assert masks.encoding.kind == "binary255"
    assert np.array_equal(masks.labels(), mask >= 128)


def test_a_few_stray_pixels_are_no_objects(tmp_path: Path) -> None:
    mask = blobs(255)
    mask[50, 50] = mask[55, 70] = 254
    mask[58, 3] = 3
    masks = Masks(tmp_path, [png(mask)])
    assert masks.encoding.kind == "binary255"
    assert masks.labels()[50, 50] == 1
    assert masks.labels()[58, 3] == 0


@pytest.mark.parametrize("top", [200, 100])
def test_soft_masks_that_never_reach_255(tmp_path: Path, top: int) -> None:
    mask = smooth(top, 3)
    masks = Masks(tmp_path, [png(mask)])
    assert masks.encoding.kind == "binary255"
    assert np.array_equal(masks.labels(), mask >= (128 if top == 200 else int(mask.max()) // 2 + 1))


def test_the_masks_of_a_video_are_judged_together(tmp_path: Path) -> None:
    thin = np.zeros((60, 80), np.uint8)
    thin[20, 10:60] = 90  # a hair that covers a third of its pixels
    masks = Masks(tmp_path, [png(thin), png(smooth())])
    assert masks.encoding.kind == "binary255"
    assert not masks.labels(0).any()


def test_palette(tmp_path: Path) -> None:
    masks = Masks(tmp_path, [palette_png(blobs(1, 3)), palette_png(blobs(2))])
    assert (masks.encoding.kind, masks.ids) == ("palette", (1, 2, 3))
    assert np.array_equal(masks.labels(), blobs(1, 3))
    for image in (masks.given(), masks.written()):
        assert image.mode == "P"
        assert bytes(image.getpalette() or []) == DAVIS
        assert np.array_equal(np.asarray(image), blobs(1, 3))


def test_a_small_palette_with_few_bits(tmp_path: Path) -> None:
    image = Image.fromarray(blobs(1, 2)).convert("P")
    image.putdata(blobs(1, 2).ravel().tolist())
    image.putpalette(DAVIS[:12])
    buffer = io.BytesIO()
    image.save(buffer, "PNG", bits=2)
    masks = Masks(tmp_path, [buffer.getvalue()])
    assert np.array_equal(masks.labels(), blobs(1, 2))
    assert np.array_equal(np.asarray(masks.given()), blobs(1, 2))
    assert bytes(masks.given().getpalette() or [])[:12] == DAVIS[:12]


def test_transparency_of_a_palette_is_kept(tmp_path: Path) -> None:
    masks = Masks(tmp_path, [encode_plane_png(blobs(1), Palette(DAVIS, b"\0\x80"))])
    assert b"tRNS" in masks.encoding.encode_given(masks.raw[0])
    assert masks.ids == (1,)


def test_shorter_palettes_go_with_longer_ones(tmp_path: Path) -> None:
    masks = Masks(tmp_path, [palette_png(blobs(1), DAVIS[:6]), palette_png(blobs(3))])
    assert masks.encoding.palette == Palette(DAVIS)


def test_one_id_in_two_colours_is_refused(tmp_path: Path) -> None:
    other = bytes([0, 0, 0, 0, 0, 255]) + DAVIS[6:]
    with pytest.raises(
        DataError, match=r"1\.png: expected for id 1 the colour #800000 .*0\.png, found #0000ff"
    ):
        Masks(tmp_path, [palette_png(blobs(1)), palette_png(blobs(1), other)])


def test_a_palette_whose_black_is_not_first(tmp_path: Path) -> None:
    indices = np.where(blobs(1) > 0, 0, 2).astype(np.uint8)  # object red at 0, background black at 2
    masks = Masks(tmp_path, [palette_png(indices, bytes([255, 0, 0, 0, 255, 0, 0, 0, 0]))])
    assert masks.ids == (2,)
    assert np.array_equal(masks.labels(), blobs(2))
    for image in (masks.given(), masks.written()):
        assert np.array_equal(np.asarray(image), indices)


def test_a_grey_ramp_is_read_as_grey(tmp_path: Path) -> None:
    ramp = bytes(value for value in range(256) for _ in range(3))
    masks = Masks(tmp_path, [palette_png(smooth(), ramp)])
    assert (masks.encoding.kind, masks.ids) == ("palette", (1,))
    assert np.array_equal(masks.labels(), smooth() >= 128)
    assert np.array_equal(np.asarray(masks.given()), smooth())
    assert set(np.unique(np.asarray(masks.written()))) == {0, 255}


@pytest.mark.parametrize("colour", [(255, 255, 0), (200, 30, 30), (0, 0, 64), (1, 0, 0)])
@pytest.mark.parametrize("alpha", [False, True])
def test_an_object_drawn_in_colour(tmp_path: Path, colour: tuple[int, int, int], alpha: bool) -> None:
    rgb = (blobs(1)[..., None] * np.array(colour)).astype(np.uint8)
    pixels = np.dstack([rgb, np.full((60, 80), 255, np.uint8)]) if alpha else rgb
    masks = Masks(tmp_path, [png(pixels)])
    assert (masks.encoding.kind, masks.ids) == ("colour", (1,))
    assert np.array_equal(masks.labels(), blobs(1))
    for image in (masks.given(), masks.written()):
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), blobs(255))


def test_objects_in_several_colours_are_one_mask(tmp_path: Path) -> None:
    red, blue = blobs(128), blobs(0, 64)
    masks = Masks(tmp_path, [png(np.dstack([red, np.zeros_like(red), blue]))])
    assert np.array_equal(masks.labels(), (red > 0) | (blue > 0))


def test_a_colour_with_anti_aliased_edges(tmp_path: Path) -> None:
    share = smooth().astype(float)[..., None] / 255
    masks = Masks(tmp_path, [png((share * np.array([200, 30, 30])).astype(np.uint8))])
    assert np.array_equal(masks.labels(), (share[..., 0] * 200).astype(np.uint8) >= 101)


@pytest.mark.parametrize("content", ["photo", "black", "white"])
def test_a_cut_out_object(tmp_path: Path, content: str) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    rgb = {"photo": rgb, "black": rgb * 0, "white": rgb * 0 + 255}[content]
    files = [png(np.dstack([rgb, alpha])) for alpha in (smooth(), blobs(), blobs(255) * 0 + 255)]
    masks = Masks(tmp_path, files if content != "black" else files[:2])
    assert masks.encoding.kind == "colour"
    assert np.array_equal(masks.labels(0), smooth() >= 128)
    assert not masks.labels(1).any()
    if content != "black":
        assert masks.labels(2).all()


@pytest.mark.parametrize("channels", [3, 4])
def test_grey_in_three_channels_is_grey(tmp_path: Path, channels: int) -> None:
    for mask in (blobs(255), blobs(1, 2), smooth()):
        pixels = np.dstack([mask] * 3 + [np.full_like(mask, 255)] * (channels - 3))
        masks = Masks(tmp_path, [png(pixels)])
        assert np.array_equal(np.asarray(masks.given()), mask)


def test_jpeg_is_always_binary(tmp_path: Path) -> None:
    data = cv2.imencode(".jpg", smooth(), [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes()
    masks = Masks(tmp_path, [data], ".jpg")
    assert masks.encoding.kind == "binary255"
    assert np.mean(masks.labels() != (smooth() >= 128)) < 0.01
    assert np.array_equal(
        np.asarray(masks.given()), cv2.imread(str(tmp_path / "0.jpg"), cv2.IMREAD_UNCHANGED)
    )


def test_ids_in_a_jpeg_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"0\.jpg: expected object pixels of 128 to 255") as caught:
        Masks(tmp_path, [cv2.imencode(".jpg", blobs(3, 6))[1].tobytes()], ".jpg")
    assert "PNG" in caught.value.hint


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
    if empty == "transparent" and drawn in ("grey", "colour", "ids16"):
        with pytest.raises(DataError, match="transparent background"):
            Masks(tmp_path, [EMPTY[empty][0], files[drawn]])
        return
    masks = Masks(tmp_path, [EMPTY[empty][0], files[drawn]])
    assert not masks.labels(0).any()
    assert masks.labels(1).any()
    assert masks.given(0).mode == masks.given(1).mode
    assert not np.asarray(masks.given(0)).any()


@pytest.mark.parametrize(
    "files",
    [
        [png(blobs(1)), palette_png(blobs(1))],
        [palette_png(blobs(1)), png(blobs(255))],
        [png(blobs(255)), png(blobs(65535, dtype=np.uint16))],
        [palette_png(blobs(1)), png(np.dstack([blobs(200), blobs(), blobs()]))],
    ],
)
def test_mixtures_are_refused(tmp_path: Path, files: list[bytes]) -> None:
    with pytest.raises(DataError, match=r"\.png: expected a \w+ mask like \d\.png, found \w+") as caught:
        Masks(tmp_path, files)
    assert "one encoding" in caught.value.hint


@given(st.sets(st.integers(1, 255), min_size=1, max_size=8))
def test_ids_survive(ids: set[int]) -> None:
    mask = blobs(*sorted(ids))
    encoding = MaskEncoding("palette", palette=Palette(DAVIS))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encoding.encode(mask.astype(np.uint16))))), mask)


def test_ids_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="id 256 does not fit into ids8"):
        MaskEncoding("grey8").encode(np.full((2, 2), 256, np.uint16))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"text", "does not decode"),
        (png(blobs(255))[:-30], "truncated"),
        (palette_png(blobs(1))[:-30], "truncated"),
        (cv2.imencode(".jpg", blobs(255))[1].tobytes()[:-30], "truncated"),
        (cv2.imencode(".tiff", blobs(255).astype(np.float32))[1].tobytes(), "found float32 pixels"),
    ],
)
def test_unreadable_masks_are_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=rf"0\.png: expected a mask.*{reason}") as caught:
        Masks(tmp_path, [data])
    assert caught.value.exit_code == 3
    assert caught.value.hint


def test_damaged_palette_pixels_are_refused(tmp_path: Path) -> None:
    data = encode_plane_png(blobs(1), Palette(DAVIS))
    start = data.find(b"IDAT")
    body = b"\x78\x01 no deflate stream"
    crc = zlib.crc32(b"IDAT" + body)
    broken = (
        data[: start - 4]
        + len(body).to_bytes(4, "big")
        + b"IDAT"
        + body
        + crc.to_bytes(4, "big")
        + data[-12:]
    )
    with pytest.raises(DataError, match="does not decode"):
        Masks(tmp_path, [broken])
