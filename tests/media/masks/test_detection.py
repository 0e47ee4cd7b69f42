"""Every encoding of the contract: what labels it gives, and that masks given come back as they are."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.media.masks.mask_files import (
    BLUE,
    DAVIS,
    GREEN,
    RED,
    VOC,
    Masks,
    blobs,
    drawn,
    palette_png,
    pillow,
    png,
    ring,
    smooth,
)
from vsodtool.errors import DataError
from vsodtool.media.masks.encoding import detect_encoding
from vsodtool.media.masks.plane_png import Palette, encode_plane_png
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.masks.statistics import summarise


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


def test_ids_of_nothing_but_empty_masks_have_room_for_one_object(tmp_path: Path) -> None:
    masks = Masks(tmp_path, [palette_png(blobs())])
    assert masks.ids == (1,)
    assert not masks.labels().any()


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
    assert masks.encoding.meaning.palette == Palette(DAVIS)


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


@pytest.mark.parametrize("alpha", [False, True])
def test_a_colour_for_each_object(tmp_path: Path, alpha: bool) -> None:
    pixels = drawn(RED, GREEN, BLUE)
    if alpha:
        pixels = np.dstack([pixels, (pixels.any(axis=2) * 255).astype(np.uint8)])
    masks = Masks(tmp_path, [png(pixels)])
    assert (masks.encoding.kind, masks.ids) == ("colours", (1, 2, 3))
    assert np.array_equal(masks.labels(), blobs(3, 2, 1)), "numbered by colour: blue is the smallest number"
    for image in (masks.given(), masks.written()):
        assert image.mode == ("RGBA" if alpha else "RGB")
        assert np.array_equal(np.asarray(image), pixels)


def test_objects_may_come_one_by_one_in_their_colours(tmp_path: Path) -> None:
    white = blobs(0, 0, 0, 255)  # grey, as far as the file says
    masks = Masks(tmp_path, [png(drawn(RED)), png(drawn((0, 0, 0), GREEN)), png(np.dstack([white] * 3))])
    assert (masks.encoding.kind, masks.ids) == ("colours", (1, 2, 3))
    found = [{int(value) for value in np.unique(masks.labels(index))} for index in range(3)]
    assert found == [{0, 2}, {0, 1}, {0, 3}]


def test_colours_on_white(tmp_path: Path) -> None:
    pixels = drawn(RED, GREEN)
    pixels[blobs(1, 1) == 0] = 255
    masks = Masks(tmp_path, [png(pixels), png(np.full_like(pixels, 255))])
    assert masks.ids == (1, 2)
    assert np.array_equal(masks.labels(), blobs(2, 1))
    assert not masks.labels(1).any()
    for image in (masks.given(), masks.written()):
        assert np.array_equal(np.asarray(image), pixels)


def test_blurred_colours_are_told_apart(tmp_path: Path) -> None:
    masks = Masks(tmp_path, [png(cv2.GaussianBlur(drawn(RED, GREEN), (0, 0), 1))])
    assert masks.ids == (1, 2)
    assert np.mean(masks.labels() != blobs(2, 1)) < 0.02


def test_anti_aliased_edges_of_two_colours_are_cut_at_a_half(tmp_path: Path) -> None:
    share = smooth()[..., None] / 255
    pixels = (share * np.array(RED)).round().astype(np.uint8)
    pixels[:10, :20] = GREEN
    masks = Masks(tmp_path, [png(pixels)])
    expected = (pixels[..., 0] > 64).astype(np.uint16) * 2
    expected[:10, :20] = 1
    assert masks.ids == (1, 2)
    assert np.mean(masks.labels() != expected) < 0.005  # a value of 64 is as near to nothing as to red


def test_colours_that_cannot_be_told_apart_are_one_object_with_a_warning(tmp_path: Path) -> None:
    jpeg = cv2.imencode(".jpg", drawn(RED, GREEN)[..., ::-1])[1].tobytes()
    noisy = drawn(RED, GREEN)
    noisy[30:] = np.random.default_rng(0).integers(1, 256, (30, 80, 3))
    for suffix, data in ((".jpg", jpeg), (".png", png(noisy))):
        masks = Masks(tmp_path, [data], suffix)
        assert (masks.encoding.kind, masks.ids) == ("colour", (1,))
        assert masks.encoding.warnings == [
            "several colours are drawn and not told apart: all of them are one object"
        ]
    photo = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    assert not Masks(tmp_path, [png(np.dstack([photo, smooth()]))]).encoding.warnings


@pytest.mark.parametrize("width", [1, 3, 5])
@pytest.mark.parametrize("kind", ["palette", "bmp", "ids8", "ids16", "colours"])
def test_a_void_border_is_no_object_and_comes_back(tmp_path: Path, kind: str, width: int) -> None:
    inside = blobs(0, 1, 0, 2)
    values = ring(
        inside, width, 65535 if kind == "ids16" else 255, np.uint16 if kind == "ids16" else np.uint8
    )
    lut = np.zeros((256, 3), np.uint8)
    lut[1], lut[2], lut[255] = BLUE, GREEN, VOC
    pixels, suffix = values, ".png"
    if kind == "palette":
        data = palette_png(values, lut.tobytes())
    elif kind == "bmp":
        data, suffix = pillow(values, "BMP", lut.tobytes()), ".bmp"
    elif kind == "colours":
        pixels = lut[values]
        data = png(pixels)
    else:
        data = png(values)
    masks = Masks(tmp_path, [data], suffix)
    assert masks.ids == (1, 2)
    assert "is void" in masks.encoding.title
    labels, void = masks.encoding.read(masks.raw[0])
    assert np.array_equal(labels, inside)
    assert np.array_equal(void, values == values.max())
    assert np.array_equal(np.asarray(masks.given()), pixels)
    assert 255 not in np.asarray(masks.written()).reshape(60, 80, -1)[..., 0]


def test_what_is_void_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "0.png"
    for pixels, void, expected in (
        (palette_png(blobs(1, 255)), "auto", (1,)),
        (palette_png(blobs(1, 255)), "none", (1, 255)),
        (palette_png(blobs(1, 255)), "1", (255,)),
        (palette_png(blobs(255)), "auto", (255,)),  # void of nothing is an object
        (png(blobs(1, 255)), "auto", (1, 255)),  # as thick as an object
        (png(blobs(1, 255)), "255", (1,)),
        (png(ring(blobs(1), 2, 255)), "auto", (1,)),
        (png(ring(blobs(1), 2, 255)), "none", (1, 255)),
        (png(ring(blobs(255), 2, 128)), "128", (255,)),  # a trimap
    ):
        path.write_bytes(pixels)
        assert detect_encoding([summarise(path, read_raw_mask(path))], void)[1] == expected


@pytest.mark.parametrize("form", ["BMP", "GIF", "TIFF"])
def test_palettes_of_other_formats_are_ids_too(tmp_path: Path, form: str) -> None:
    masks = Masks(tmp_path, [pillow(blobs(1, 3), form), pillow(blobs(2), form)], f".{form.lower()}")
    assert (masks.encoding.kind, masks.ids) == ("palette", (1, 2, 3))
    assert np.array_equal(masks.labels(), blobs(1, 3))
    for image in (masks.given(), masks.written()):
        assert image.mode == "P"
        assert bytes(image.getpalette() or [])[:12] == DAVIS[:12]
        assert np.array_equal(np.asarray(image), blobs(1, 3))


def test_grey_masks_of_other_formats_are_grey(tmp_path: Path) -> None:
    for form in ("BMP", "GIF", "TIFF"):
        buffer = io.BytesIO()
        Image.fromarray(smooth()).save(buffer, form)
        masks = Masks(tmp_path, [buffer.getvalue()], f".{form.lower()}")
        assert (masks.encoding.title, masks.ids) == ("0/255 grey", (1,))
        assert np.array_equal(masks.labels(), smooth() >= 128)


def test_a_lossy_webp_cannot_store_ids(tmp_path: Path) -> None:
    lossy = cv2.imencode(".webp", blobs(1, 2), [cv2.IMWRITE_WEBP_QUALITY, 80])[1].tobytes()
    with pytest.raises(DataError, match="cannot store ids"):
        Masks(tmp_path, [lossy], ".webp")
    soft = cv2.imencode(".webp", smooth(), [cv2.IMWRITE_WEBP_QUALITY, 80])[1].tobytes()
    masks = Masks(tmp_path, [soft], ".webp")
    assert masks.ids == (1,)
    assert np.mean(masks.labels() != (smooth() >= 128)) < 0.01


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
