"""What the pixels of truths and predictions mean, from real files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from vsodtool.errors import DataError
from vsodtool.media.maps.reading import detect_prediction, detect_truth, fit_ids, fit_map

Pixels = npt.NDArray[Any]


def grey(path: Path, values: Pixels) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), values)
    return path


def palette(path: Path, ids: Pixels, colours: tuple[int, ...] = (0, 0, 0, 128, 0, 0, 0, 128, 0)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(ids.astype(np.uint8), "L").convert("P")
    image.putdata(ids.astype(np.uint8).ravel().tolist())
    image.putpalette(list(colours) + [7] * (768 - len(colours)))
    image.save(path)
    return path


def blob(*values: int, dtype: type = np.uint8) -> Pixels:
    """Columns of these values, each four pixels wide."""
    return np.repeat(np.array([values], dtype), 4, axis=1).repeat(8, axis=0)


@pytest.mark.parametrize(("above", "expected"), [(128, [0, 0, 0, 1, 1]), (127, [0, 0, 1, 1, 1])])
def test_grey_truth_is_cut_where_the_protocol_cuts(tmp_path: Path, above: int, expected: list[int]) -> None:
    ramp = np.tile(np.array([0, 127, 128, 129, 255], np.uint8), (6, 1))
    files = [grey(tmp_path / "0.png", blob(0, 255)), grey(tmp_path / "1.png", ramp)]
    reading = detect_truth(files, above)
    ids, void = reading.read(files[1])
    assert (ids[0].tolist(), void, reading.has_ids) == (expected, None, False)


@pytest.mark.parametrize(("value", "above", "inside"), [(32896, 128, 0), (32897, 128, 1), (32640, 127, 1)])
def test_16_bit_truth_is_cut_at_the_same_brightness(
    tmp_path: Path, value: int, above: int, inside: int
) -> None:
    first = grey(tmp_path / "0.png", blob(0, 65535, dtype=np.uint16))
    file = grey(tmp_path / "1.png", blob(0, value, 65535, dtype=np.uint16))
    assert detect_truth([first, file], above).read(file)[0][0, 4] == inside


def test_truth_of_0_and_1_is_not_taken_for_black(tmp_path: Path) -> None:
    file = grey(tmp_path / "0.png", blob(0, 1))
    assert detect_truth([file], 128).read(file)[0].any()


def test_grey_that_reaches_white_is_binary_unless_ids_are_asked_for(tmp_path: Path) -> None:
    file = grey(tmp_path / "0.png", blob(0, 60, 255))
    assert detect_truth([file], 128).read(file)[0][0].tolist() == [0] * 8 + [1] * 4
    assert set(np.unique(detect_truth([file], 128, objects="multi").read(file)[0])) == {0, 60, 255}


def test_a_grey_value_that_is_named_is_void(tmp_path: Path) -> None:
    file = grey(tmp_path / "gt.png", blob(0, 128, 255))
    ids, void = detect_truth([file], 128, void="128").read(file)
    assert (ids[0, ::4] > 0).tolist() == [False, False, True]
    assert void is not None
    assert void[0, ::4].tolist() == [False, True, False]
    assert detect_truth([file], 128).read(file)[1] is None
    soft = grey(tmp_path / "p.png", np.tile(np.arange(0, 240, 10, dtype=np.uint8), (8, 1)))
    assert detect_prediction([soft], detect_truth([file], 128, void="128"), "soft").kind == "soft"


def test_palette_truth_holds_ids_and_255_is_void(tmp_path: Path) -> None:
    ids = blob(0, 1, 2, 255)
    file = palette(tmp_path / "0.png", ids)
    reading = detect_truth([file], 127)
    labels, void = reading.read(file)
    assert (reading.has_ids, reading.ids) == (True, (1, 2))
    assert labels[0].tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [0] * 4
    assert void is not None
    assert void[0].tolist() == [False] * 12 + [True] * 4


def test_empty_masks_fit_everything_and_do_not_decide(tmp_path: Path) -> None:
    files = [grey(tmp_path / f"{index}.png", blob(0, 0)) for index in range(9)]
    files[7] = palette(tmp_path / "7.png", blob(0, 2))
    reading = detect_truth(files, 127)
    assert reading.has_ids
    assert not reading.read(files[0])[0].any()
    assert set(np.unique(reading.read(files[7])[0])) == {0, 2}


def test_a_truth_in_another_encoding_than_its_neighbours_is_refused(tmp_path: Path) -> None:
    files = [palette(tmp_path / f"{index}.png", blob(0, 1, 2)) for index in range(9)]
    odd = grey(tmp_path / "odd.png", blob(0, 255))
    with pytest.raises(DataError, match=r"odd\.png: expected palette pixels .* found grey8"):
        detect_truth(files, 127).read(odd)


def test_a_truth_in_the_colours_of_the_palette_of_its_neighbours_is_of_their_ids(tmp_path: Path) -> None:
    files = [palette(tmp_path / f"{index}.png", blob(0, 1, 2)) for index in range(9)]
    ids = blob(2, 1, 0)
    colours = np.array([(0, 0, 0), (128, 0, 0), (0, 128, 0)], np.uint8)
    Image.fromarray(colours[ids]).save(tmp_path / "odd.png")
    reading = detect_truth([*files, tmp_path / "odd.png"], 127)
    assert np.array_equal(reading.read(tmp_path / "odd.png")[0], ids)


def test_truths_of_one_object_may_be_stored_in_several_ways(tmp_path: Path) -> None:
    files = [palette(tmp_path / f"{index}.png", blob(0, 3)) for index in range(9)]
    odd = grey(tmp_path / "odd.png", blob(0, 255))
    for reading in (detect_truth(files, 127), detect_truth([odd, *files], 127)):
        assert np.array_equal(reading.read(odd)[0] > 0, blob(0, 1) > 0)
        assert np.array_equal(reading.read(files[4])[0] > 0, blob(0, 1) > 0)


def colours(path: Path, *drawn: tuple[int, int, int]) -> Path:
    """Columns of these colours (RGB), four pixels wide."""
    return grey(path, np.array([[colour[::-1] for colour in drawn]], np.uint8).repeat(4, 1).repeat(8, 0))


def test_colours_have_the_same_ids_in_truth_and_prediction(tmp_path: Path) -> None:
    black, red, green, blue = (0, 0, 0), (128, 0, 0), (0, 128, 0), (0, 0, 128)
    truth = detect_truth([colours(tmp_path / "gt.png", black, red, green)], 127)
    assert (truth.has_ids, truth.ids) == (True, (1, 2))
    file = colours(tmp_path / "p.png", black, red, blue)
    reading = detect_prediction([file], truth, "soft")
    assert reading.kind == "ids"
    assert reading.read_ids(file)[0].tolist() == [0] * 4 + [2] * 4 + [3] * 4


def test_void_is_no_object_of_a_prediction(tmp_path: Path) -> None:
    ids = np.zeros((20, 20), np.uint8)
    ids[4:16, 4:16] = 255
    ids[5:15, 5:15] = 1
    for file in (palette(tmp_path / "p.png", ids), grey(tmp_path / "g.png", ids)):
        truth = detect_truth([file], 127)
        assert (truth.has_ids, truth.ids) == (True, (1,))
        reading = detect_prediction([file], truth, "masks")
        assert set(np.unique(reading.read_ids(file))) == {0, 1}
        assert (reading.read_map(file) > 0).sum() == 100


def test_files_with_nothing_but_void_do_not_decide(tmp_path: Path) -> None:
    files = [palette(tmp_path / f"{index}.png", blob(0, 255)) for index in range(9)]
    files[7] = palette(tmp_path / "7.png", blob(2, 255))
    reading = detect_truth(files, 127)
    assert reading.ids == (2,)
    assert not reading.read(files[0])[0].any()


def reading_of(tmp_path: Path, prediction: Path, truth: Pixels | None = None, prefers: str = "soft") -> Any:
    first = grey(tmp_path / "gt.png", blob(0, 255) if truth is None else truth)
    return detect_prediction([prediction], detect_truth([first], 128), prefers)


def test_grey_predictions_of_8_and_16_bit_come_as_they_are(tmp_path: Path) -> None:
    for dtype in (np.uint8, np.uint16):
        values = blob(0, 3, 200, dtype=dtype)
        file = grey(tmp_path / f"{dtype.__name__}.png", values)
        read = reading_of(tmp_path, file).read_map(file)
        assert read.dtype == dtype
        np.testing.assert_array_equal(read, values)


def test_palette_predictions_are_masks_whatever_their_colours(tmp_path: Path) -> None:
    file = palette(tmp_path / "p.png", blob(0, 1, 2))
    reading = reading_of(tmp_path, file)
    assert reading.kind == "ids"
    assert reading.read_map(file)[0].tolist() == [0] * 4 + [255] * 8
    assert set(np.unique(reading.read_ids(file))) == {0, 1, 2}


def test_a_palette_that_is_a_grey_ramp_is_grey(tmp_path: Path) -> None:
    ramp = tuple(value for grey_value in range(256) for value in [grey_value] * 3)
    file = palette(tmp_path / "p.png", blob(0, 90, 255), ramp)
    assert reading_of(tmp_path, file).read_map(file)[0].tolist() == [0] * 4 + [90] * 4 + [255] * 4


def test_grey_0_and_1_is_a_mask_and_not_almost_black(tmp_path: Path) -> None:
    file = grey(tmp_path / "p.png", blob(0, 1))
    assert reading_of(tmp_path, file).read_map(file).max() == 255


def test_a_mask_of_0_and_1_among_those_of_0_and_255(tmp_path: Path) -> None:
    files = [grey(tmp_path / f"{index}.png", blob(0, 255)) for index in range(9)]
    one = grey(tmp_path / "1.png", blob(0, 1))
    soft = grey(tmp_path / "soft.png", blob(0, 1, 90, 255))
    truth = detect_truth(files, 127)
    assert detect_prediction(files, truth, "masks").read_map(one).max() == 255
    assert detect_prediction([soft], truth, "masks").read_map(one).max() == 1


def test_small_grey_values_are_ids_beside_ids_only(tmp_path: Path) -> None:
    file = grey(tmp_path / "p.png", blob(0, 1, 2))
    assert reading_of(tmp_path, file).kind == "soft"
    assert reading_of(tmp_path, file, blob(0, 1, 2)).kind == "ids"


@pytest.mark.parametrize("values", [(0, 64, 128, 255), (0, 8, 16), (0, 38, 75), (0, 85, 170, 255), (0, 38)])
def test_flat_levels_that_may_be_ids_or_probabilities_are_refused(
    tmp_path: Path, values: tuple[int, ...]
) -> None:
    file = grey(tmp_path / "p.png", blob(*values))
    ids = blob(0, 1, 2)
    with pytest.raises(DataError, match=f"grey areas of the values {values[1]}.*can be either") as caught:
        reading_of(tmp_path, file, ids)
    assert "--values ids" in caught.value.hint
    assert "--values soft" in caught.value.hint
    truth = detect_truth([grey(tmp_path / "gt.png", ids)], 128)
    assert detect_prediction([file], truth, "masks", values="soft").read_map(file).max() == values[-1]
    told = detect_prediction([file], truth, "masks", values="ids")
    assert set(np.unique(told.read_ids(file))) == set(values)


@pytest.mark.parametrize("values", [(0, 1), (0, 2), (0, 1, 3), (0, 1, 2, 3, 4)])
def test_numbers_that_count_on_from_those_of_the_truth_are_ids(
    tmp_path: Path, values: tuple[int, ...]
) -> None:
    assert reading_of(tmp_path, grey(tmp_path / "p.png", blob(*values)), blob(0, 1, 2)).kind == "ids"


def test_ids_of_the_truth_are_ids_whatever_they_are(tmp_path: Path) -> None:
    file = grey(tmp_path / "p.png", blob(0, 38, 75))
    assert reading_of(tmp_path, file, blob(0, 38, 75, 113)).kind == "ids"


@pytest.mark.parametrize(
    ("values", "doubted"), [((0, 1, 2), True), ((0, 38), True), ((0, 64, 128, 255), False)]
)
def test_beside_a_binary_truth_levels_are_probabilities_and_dark_ones_are_told(
    tmp_path: Path, values: tuple[int, ...], *, doubted: bool
) -> None:
    reading = reading_of(tmp_path, grey(tmp_path / "p.png", blob(*values)))
    assert (reading.kind, "--values ids" in reading.doubt) == ("soft", doubted)


def test_a_few_dark_files_do_not_decide(tmp_path: Path) -> None:
    """Of nine files five are looked at first; those between them are soft."""
    files = [grey(tmp_path / f"{index}.png", blob(0, 8, 16)) for index in range(9)]
    grey(files[3], np.tile(np.arange(0, 250, 5, dtype=np.uint8), (8, 1)))
    truth = detect_truth([palette(tmp_path / "gt.png", blob(0, 1, 2))], 128)
    assert detect_prediction(files, truth, "masks").kind == "soft"


def test_a_dark_map_beside_ids_is_no_map_of_ids(tmp_path: Path) -> None:
    dark = grey(tmp_path / "p.png", np.tile(np.arange(0, 24, dtype=np.uint8), (8, 1)))
    assert reading_of(tmp_path, dark, blob(0, 1, 2)).kind == "soft"
    more = grey(tmp_path / "more.png", blob(0, 1, 0, 2, 3, 0))  # an object that the truth has not
    assert reading_of(tmp_path, more, blob(0, 1, 2)).kind == "ids"


def test_what_is_known_to_be_soft_is_soft(tmp_path: Path) -> None:
    truth = detect_truth([palette(tmp_path / "gt.png", blob(0, 1, 2))], 128)
    for values in (blob(0, 1), blob(0, 1, 2)):
        file = grey(tmp_path / "p.png", values)
        reading = detect_prediction([file], truth, "masks", values="soft")
        assert (reading.kind, reading.read_map(file).max()) == ("soft", values.max())


def picture(path: Path, rgb: Pixels) -> Path:
    return grey(path, np.ascontiguousarray(rgb[..., ::-1]))


def disk(colour: tuple[int, int, int], *, soft: float = 0) -> Pixels:
    """RGB (40, 60, 3): a disk of this colour on black, with a border as wide as `soft` says."""
    rows, columns = np.mgrid[:40, :60]
    away = np.hypot(rows - 20, columns - 30)
    inside = np.clip((12 - away) / soft + 0.5, 0, 1) if soft else away <= 12
    return np.round(inside[..., None] * np.array(colour, np.float64)).astype(np.uint8)


@pytest.mark.parametrize("soft", [0, 2])
@pytest.mark.parametrize("prefers", ["soft", "masks"])
def test_a_mask_in_one_colour_is_drawn_whatever_is_measured(
    tmp_path: Path, prefers: str, soft: float
) -> None:
    file = picture(tmp_path / "p.png", disk((128, 0, 0), soft=soft))
    drawn = reading_of(tmp_path, file, prefers=prefers)
    assert (drawn.kind, drawn.doubt) == ("drawn", "")
    np.testing.assert_array_equal(drawn.read_map(file), (disk((1, 1, 1), soft=soft)[..., 0]) * 255)


@pytest.mark.parametrize("prefers", ["soft", "masks"])
def test_colours_for_each_object_are_objects_beside_a_binary_truth(tmp_path: Path, prefers: str) -> None:
    files = [
        colours(tmp_path / f"{index}.png", (0, 0, 0), *drawn)
        for index, drawn in enumerate(
            [[(200, 0, 0), (0, 120, 0)], [(0, 120, 0)], [(255, 255, 255)], [(200, 0, 0)], [(0, 120, 0)]]
        )
    ]
    truth = detect_truth([grey(tmp_path / "gt.png", blob(0, 255))], 128)
    reading = detect_prediction(files, truth, prefers)
    assert (reading.kind, reading.doubt) == ("ids", "")
    for file, count in zip(files, (8, 4, 4, 4, 4), strict=True):
        assert reading.read_map(file)[0].tolist() == [0] * 4 + [255] * count


@pytest.mark.parametrize("prefers", ["soft", "masks"])
@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 0, 0)])
def test_what_is_drawn_on_nothing_is_object(
    tmp_path: Path, prefers: str, colour: tuple[int, int, int]
) -> None:
    opacity = disk((255, 255, 255), soft=2)[..., 0]
    bgra = np.dstack([*(np.full_like(opacity, value) for value in colour[::-1]), opacity])
    reading = reading_of(tmp_path, grey(tmp_path / "p.png", bgra), prefers=prefers)
    assert (reading.kind, reading.doubt) == ("drawn", "")
    np.testing.assert_array_equal(reading.read_map(tmp_path / "p.png") > 0, opacity > 127)


def test_probabilities_with_an_opacity_of_one_are_probabilities(tmp_path: Path) -> None:
    values = disk((255, 255, 255), soft=8)[..., 0]
    file = grey(tmp_path / "p.png", np.dstack([values] * 3 + [np.full_like(values, 255)]))
    np.testing.assert_array_equal(reading_of(tmp_path, file).read_map(file), values)


def test_values_says_what_colours_are(tmp_path: Path) -> None:
    truth = detect_truth([grey(tmp_path / "gt.png", blob(0, 255))], 128)
    shaded = picture(tmp_path / "p.png", disk((255, 0, 0), soft=24))
    assert detect_prediction([shaded], truth, "soft", values="ids").kind == "drawn"
    flat = colours(tmp_path / "q.png", (0, 0, 0), (200, 0, 0), (0, 120, 0))
    assert detect_prediction([flat], truth, "soft", values="ids").kind == "ids"
    assert detect_prediction([flat], truth, "soft", values="soft").read_map(flat).max() == 70


def probabilities(soft: float) -> npt.NDArray[np.uint8]:
    return disk((255, 255, 255), soft=soft)[..., 0]


@pytest.mark.parametrize("soft", [3, 8, 30])
@pytest.mark.parametrize("table", [cv2.COLORMAP_JET, cv2.COLORMAP_HOT, cv2.COLORMAP_VIRIDIS])
def test_false_colours_are_read_by_brightness_and_told(tmp_path: Path, table: int, soft: float) -> None:
    file = grey(tmp_path / "p.png", cv2.applyColorMap(probabilities(soft), table))
    reading = reading_of(tmp_path, file)
    assert reading.kind == "soft"
    assert "in many shades of colour" in reading.doubt
    assert "--values ids" in reading.doubt


def test_false_colours_are_told_where_masks_are_wanted(tmp_path: Path) -> None:
    file = grey(tmp_path / "p.png", cv2.applyColorMap(probabilities(8), cv2.COLORMAP_JET))
    assert "nowhere black" in reading_of(tmp_path, file, prefers="masks").doubt
    cut_out = picture(tmp_path / "q.png", disk((255, 120, 0), soft=24))
    assert reading_of(tmp_path, cut_out, prefers="masks").doubt == ""


def test_grey_whose_channels_hardly_differ_is_grey(tmp_path: Path) -> None:
    nearly = np.repeat(probabilities(20)[..., None], 3, axis=2)
    nearly[..., 2] -= nearly[..., 2] // 60
    file = picture(tmp_path / "p.png", nearly)
    reading = reading_of(tmp_path, file)
    assert (reading.kind, reading.doubt) == ("soft", "")
    assert np.abs(reading.read_map(file).astype(int) - probabilities(20)).max() <= 3


def test_photographs_are_neither_truth_nor_prediction_but_grey_may_have_any_values(tmp_path: Path) -> None:
    small = np.random.default_rng(0).integers(20, 220, (6, 8, 3), dtype=np.uint8)
    photograph = np.array(Image.fromarray(small).resize((80, 60), Image.Resampling.BICUBIC))
    Image.fromarray(photograph).save(tmp_path / "a.jpg")
    truth = np.zeros((60, 80), np.uint8)
    truth[20:40, 30:50] = 255
    with pytest.raises(DataError, match=r"a\.jpg: expected a mask, found a photograph"):
        detect_truth([tmp_path / "a.jpg"], 127)
    with pytest.raises(DataError, match=r"a\.jpg: expected a mask, found a photograph"):
        reading_of(tmp_path, tmp_path / "a.jpg", truth)
    assert reading_of(tmp_path, grey(tmp_path / "b.png", photograph[..., 0]), truth).kind == "soft"


def test_damaged_files_are_named(tmp_path: Path) -> None:
    file = grey(tmp_path / "gt.png", blob(0, 255))
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"gt\.png.* truncated"):
        detect_truth([file], 128)


def test_fitting_keeps_the_depth_and_the_ids() -> None:
    values = blob(0, 400, 65535, dtype=np.uint16)
    assert (fit_map(values, (4, 6)).dtype, fit_map(values, (4, 6)).shape) == (np.uint16, (4, 6))
    assert set(np.unique(fit_ids(blob(0, 3, 7, dtype=np.uint16), (5, 30)))) == {0, 3, 7}
    np.testing.assert_array_equal(fit_map(blob(0, 255), (16, 16)), cv2.resize(blob(0, 255), (16, 16)))
