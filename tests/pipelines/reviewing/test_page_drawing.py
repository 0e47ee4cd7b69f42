"""Drawing on the page: what the pointer and the tools do is what lies in the file, and undo is exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import ndimage

from tests.pipelines.reviewing.brighter import Brighter
from tests.pipelines.reviewing.browser import Held, Open, disc, saved
from tests.pipelines.reviewing.conftest import MakeOut
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.masks.reading import read_raw_mask

if TYPE_CHECKING:
    pass

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.mark.parametrize("diameter", [2, 5])
def test_a_stroke_is_a_hard_disc_in_the_file(diameter: int, make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.brush(diameter)
    hands.stroke((20, 17))
    hands.save()
    expected = out.ids[1].copy()
    expected[disc(out.size, 20, 17, diameter)] = 1
    np.testing.assert_array_equal(saved(out, 1), expected)
    assert "◆ corrected" in hands.text("#about")
    assert hands.text("#saved").startswith("saved ")


def test_strokes_have_no_gaps_and_end_at_the_edge(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.brush(5)
    hands.stroke((28, 20), (31, 23))
    hands.stroke((5, 14), (25, 14))
    hands.save()
    expected = out.ids[1].copy()
    for step in range(21):
        expected[disc(out.size, 5 + step, 14, 5)] = 1
    found = saved(out, 1)
    np.testing.assert_array_equal(found[:18], expected[:18])
    assert found[23, 31] == 1


def test_the_eraser_takes_away_and_undo_is_exact(make_out: MakeOut, open_page: Open) -> None:
    out = make_out(objects=2)
    hands = open_page(out)
    hands.go(1)
    hands.keys("e")
    hands.brush(5)
    hands.stroke((5, 5))
    hands.save()
    erased = out.ids[1].copy()
    erased[disc(out.size, 5, 5, 5)] = 0
    np.testing.assert_array_equal(saved(out, 1), erased)
    hands.keys("b", "2")
    hands.stroke((3, 4), (28, 20))
    hands.keys("Control+z")
    hands.save()
    np.testing.assert_array_equal(saved(out, 1), erased)
    hands.keys("Control+Shift+z")
    hands.save()
    assert (saved(out, 1) == 2).sum() > (erased == 2).sum()
    hands.keys("Control+z", "Control+z", "s")
    hands.page.wait_for_selector("#frame-status:has-text('generated')")
    assert not out.correction(1).exists()  # who undoes everything has corrected nothing


def test_fill_closes_holes_and_refuses_what_is_open(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    ring = disc(out.size, 16, 12, 15) & ~disc(out.size, 16, 12, 9)
    out.layout.masks("clip", "00001").write_bytes(
        encode_plane_png(ring.astype(np.uint8), read_raw_mask(out.layout.masks("clip", "00000")).palette)
    )
    hands = open_page(out)
    hands.go(1)
    hands.keys("f")
    hands.stroke((1, 1))
    assert "has a gap" in hands.text("#saved")
    hands.stroke((16, 12))
    hands.save()
    np.testing.assert_array_equal(saved(out, 1), disc(out.size, 16, 12, 15))
    hands.page.keyboard.down("Shift")
    hands.stroke((16, 12))
    hands.page.keyboard.up("Shift")
    hands.save()
    assert not saved(out, 1).any()


def test_fill_takes_the_edge_of_the_frame_for_a_part_of_the_outline(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    outline = np.zeros(out.size, np.uint8)
    outline[10:, 8] = outline[10:, 20] = outline[10, 8:21] = 1
    out.layout.masks("clip", "00001").write_bytes(
        encode_plane_png(outline, read_raw_mask(out.layout.masks("clip", "00000")).palette)
    )
    hands = open_page(out)
    hands.go(1)
    hands.keys("f")
    hands.stroke((14, 18))
    hands.save()
    outline[10:, 8:21] = 1
    np.testing.assert_array_equal(saved(out, 1), outline)


def test_the_mask_of_the_frame_before_is_copied(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(2)
    hands.watch("saved")
    hands.keys("p")
    hands.await_said("dirty")
    hands.save()
    np.testing.assert_array_equal(saved(out, 2), out.ids[1])


def test_what_is_copied_is_what_was_drawn_saved_or_not(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.brush(5)
    held = Held(hands.page, "mask/1", "PUT")
    hands.stroke((20, 17))
    hands.keys("ArrowRight")
    hands.await_("frame", 2)
    hands.keys("p")
    held.let_go()
    hands.save()
    drawn = out.ids[1].copy()
    drawn[disc(out.size, 20, 17, 5)] = 1
    np.testing.assert_array_equal(saved(out, 2), drawn)


def test_all_that_is_drawn_can_be_drawn_with_the_keys(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.brush(1)
    hands.keys("0", "d", *["Shift+ArrowLeft"] * 4, *["Shift+ArrowUp"] * 4)  # the corner
    hands.keys(*["ArrowRight"] * 20, *["ArrowDown"] * 14)
    hands.keys(" ", *["ArrowRight"] * 6, " ", "Escape")
    hands.save()
    expected = out.ids[1].copy()
    expected[14, 20:27] = 1
    np.testing.assert_array_equal(saved(out, 1), expected)
    hands.keys("ArrowRight")
    hands.await_("frame", 2)


def test_masks_in_the_page_are_what_numpy_says(make_out: MakeOut, open_page: Open) -> None:
    """Random discs: each as numpy draws it, and undone to the first pixel."""
    hands = open_page(make_out())
    rng = np.random.default_rng(7)
    size = height, width = 23, 31
    start = rng.integers(0, 3, size, dtype=np.uint8)
    discs = [
        [int(value) for value in (*rng.integers(-4, 34, 2), rng.integers(1, 14), rng.integers(0, 4))]
        for _ in range(40)
    ]
    found = hands.page.evaluate(
        """async ([start, width, height, discs]) => {
          const { Mask } = await import("/ids.js");
          const mask = new Mask(Uint8Array.from(start), width, height), seen = [];
          for (const [x, y, diameter, id] of discs) {
            mask.begin(); mask.disc(x, y, diameter, id); mask.end();
            seen.push([...mask.ids]);
          }
          while (mask.undo());
          const undone = [...mask.ids];
          while (mask.redo());
          return { seen, undone, redone: [...mask.ids] };
        }""",
        [start.reshape(-1).tolist(), width, height, discs],
    )
    drawn = start.copy()
    for (x, y, diameter, number), seen in zip(discs, found["seen"], strict=True):
        drawn[disc(size, x, y, diameter)] = number
        np.testing.assert_array_equal(np.array(seen).reshape(size), drawn)
    np.testing.assert_array_equal(np.array(found["undone"]).reshape(size), start)
    np.testing.assert_array_equal(np.array(found["redone"]).reshape(size), drawn)


def test_tidying_is_what_scipy_says(make_out: MakeOut, open_page: Open) -> None:
    """Specks and pinholes of one object go; the other object, and what lies between them, stays."""
    hands = open_page(make_out())
    mask = np.zeros((40, 50), np.uint8)
    mask[5:30, 5:30] = 1
    mask[10:14, 10:13] = 0  # a pinhole of 12 pixels
    mask[18:26, 12:26] = 0  # a hole too large for one
    mask[20, 20] = 2
    mask[27, 7:9] = 0
    mask[27, 8] = 2  # a hole that borders on the other object
    mask[35:38, 40:43] = 1  # a speck
    mask[36, 41] = 0  # with a hole in it
    mask[32:38, 2:8] = 1  # no speck
    mask[2, 45] = 2
    script = """async ([start, width, height, id]) => {
      const { Mask } = await import("/ids.js");
      const mask = new Mask(Uint8Array.from(start), width, height);
      mask.begin(); const rect = mask.tidy(id, 0.05); mask.end();
      const tidied = [...mask.ids];
      mask.undo();
      const again = new Mask(Uint8Array.from(tidied), width, height).tidy(id, 0.05);
      return { tidied, undone: [...mask.ids], again };
    }"""
    found = hands.page.evaluate(script, [mask.reshape(-1).tolist(), 50, 40, 1])
    regions, count = ndimage.label(mask == 1)
    sizes = ndimage.sum_labels(mask == 1, regions, range(1, count + 1))
    expected = mask.copy()
    for number, size in enumerate(sizes, 1):
        if size < 0.05 * max(sizes):
            expected[regions == number] = 0
    expected[10:14, 10:13] = 1
    np.testing.assert_array_equal(np.array(found["tidied"]).reshape(40, 50), expected)
    np.testing.assert_array_equal(np.array(found["undone"]).reshape(40, 50), mask)
    assert found["again"] is None


def test_what_is_drawn_before_a_frame_is_there_does_not_land_on_it(
    make_out: MakeOut, open_page: Open
) -> None:
    # The masks were forgotten, as labels were made: the next frame is read again, and takes a while.
    out = make_out()
    updater = Brighter(out)
    updater.go.set()
    hands = open_page(out, updater=lambda: updater)
    hands.go(7)
    hands.stroke((20, 17))
    hands.save()
    hands.go(5)
    hands.await_quiet()
    held = Held(hands.page, "mask/6", "GET")
    hands.keys("u")
    hands.await_("made", 1)
    hands.keys("ArrowRight")
    hands.page.wait_for_timeout(100)
    hands.stroke((3, 20))  # on what is still frame 5
    held.let_go()
    hands.await_("frame", 6)
    hands.page.wait_for_timeout(2500)
    assert not out.correction(6).exists()


def test_a_stroke_ends_on_the_frame_that_it_began_on(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(2)
    hands.stroke((3, 20))
    hands.save()  # frame 2 has a track
    hands.go(1)
    hands.brush(5)
    mouse = hands.page.mouse
    mouse.move(*hands.at(20, 17))
    mouse.down()
    hands.keys("ArrowRight")
    mouse.up()
    hands.await_("frame", 2)
    hands.await_all_saved()
    drawn = out.ids[1].copy()
    drawn[disc(out.size, 20, 17, 5)] = 1
    np.testing.assert_array_equal(saved(out, 1), drawn)


def test_a_mask_that_comes_to_be_copied_does_not_break_a_stroke(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(2)
    hands.brush(5)
    mouse = hands.page.mouse
    mouse.move(*hands.at(20, 17))
    mouse.down()
    hands.keys("p")
    hands.page.wait_for_timeout(100)
    mouse.move(*hands.at(20, 18))
    mouse.up()
    hands.save()
    drawn = out.ids[2].copy()
    drawn[disc(out.size, 20, 17, 5) | disc(out.size, 20, 18, 5)] = 1
    np.testing.assert_array_equal(saved(out, 2), drawn)
    hands.keys("Control+z", "s")
    hands.page.wait_for_selector("#frame-status:has-text('generated')")
    assert not out.correction(2).exists()


def test_a_second_finger_does_not_break_a_stroke(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out, has_touch=True)
    hands.go(1)
    hands.brush(5)
    session = hands.page.context.new_cdp_session(hands.page)

    def touch(kind: str, *places: tuple[int, int]) -> None:
        points = [
            dict(zip(("x", "y"), hands.at(*place), strict=True), id=number)
            for number, place in enumerate(places)
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (20, 14))
    touch("touchMove", (20, 15))
    touch("touchStart", (20, 15), (4, 20))  # a palm
    touch("touchMove", (20, 16), (4, 20))
    touch("touchEnd")
    hands.save()
    drawn = out.ids[1].copy()
    for y in (14, 15, 16):
        drawn[disc(out.size, 20, y, 5)] = 1
    np.testing.assert_array_equal(saved(out, 1), drawn)
    hands.keys("Control+z", "s")
    hands.page.wait_for_selector("#frame-status:has-text('generated')")
    assert not out.correction(1).exists()


def test_strokes_land_where_they_are_drawn_on_a_screen_of_another_density(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.brush(5)
    size = hands.page.viewport_size
    assert size is not None
    hands.page.context.new_cdp_session(hands.page).send(
        "Emulation.setDeviceMetricsOverride", {**size, "deviceScaleFactor": 2, "mobile": False}
    )
    hands.page.wait_for_function("() => devicePixelRatio === 2")
    hands.repaint()
    hands.stroke((20, 17))
    hands.save()
    drawn = out.ids[1].copy()
    drawn[disc(out.size, 20, 17, 5)] = 1
    np.testing.assert_array_equal(saved(out, 1), drawn)


def test_a_mask_that_cannot_be_read_is_not_drawn_on(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    path = out.layout.correction("clip", "00002")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no picture")
    hands = open_page(out)
    hands.go(2)
    assert "00002.png" in hands.text("#stage-note")
    hands.stroke((20, 17))
    hands.keys("s")
    assert hands.page.locator("#save").is_disabled()
    hands.go(3)
    hands.keys("p")
    hands.page.wait_for_selector("#saved:has-text('00002.png')")
    assert not out.correction(3).exists()
