"""The page on a tablet: fingers, a pen, its other end, and the palm beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.pipelines.reviewing.browser import Hands, Open, disc, saved
from tests.pipelines.reviewing.conftest import MakeOut, Out

pytestmark = [pytest.mark.browser, pytest.mark.long]
BRUSH = 5


@pytest.fixture
def out(make_out: MakeOut) -> Out:
    return make_out(objects=2)


@pytest.fixture
def hands(out: Out, open_page: Open) -> Hands:
    hands = open_page(out, has_touch=True).go(1)
    hands.brush(BRUSH)
    return hands


Touch = Callable[..., None]


@pytest.fixture
def touch(hands: Hands) -> Touch:
    """Fingers on pixels of the frame, as they lie while it is shown whole."""
    session = hands.page.context.new_cdp_session(hands.page)

    def put(kind: str, *places: tuple[float, float]) -> None:
        on_screen = [hands.at(*place) for place in places]
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(on_screen)]
        session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    return put


@pytest.fixture
def pen(hands: Hands) -> Touch:
    session = hands.page.context.new_cdp_session(hands.page)

    def put(kind: str, place: tuple[int, int]) -> None:
        x, y = hands.at(*place)
        down = {} if kind == "Moved" else {"button": "left", "clickCount": 1}
        event: dict[str, Any] = {"type": f"mouse{kind}", "x": x, "y": y, "buttons": 1, "pointerType": "pen"}
        session.send("Input.dispatchMouseEvent", {**event, **down})

    return put


def drawn(out: Out, *places: tuple[int, int]) -> npt.NDArray[np.uint8]:
    ids = out.ids[1].copy()
    for x, y in places:
        ids[disc(out.size, x, y, BRUSH)] = 1
    return ids


def zoom(hands: Hands) -> int:
    return int(hands.text("#zoom").split()[0])


def test_two_fingers_enlarge_and_move_the_picture_and_draw_nothing(
    hands: Hands, touch: Touch, out: Out
) -> None:
    before = zoom(hands)
    touch("Start", (14, 12))
    touch("Start", (14, 12), (18, 12))
    touch("Move", (12, 12), (20, 12))
    assert zoom(hands) == pytest.approx(2 * before, rel=0.02)
    assert hands.page.locator("#save").is_disabled()
    touch("Move", (12, 14), (20, 14))
    touch("End")
    assert zoom(hands) == pytest.approx(2 * before, rel=0.02)
    # Twice as large about (16, 12), and two pixels of before further down.
    touch("Start", (16 + 2 * 4, 14 + 2 * 5))
    touch("End")
    hands.save()
    np.testing.assert_array_equal(saved(out, 1), drawn(out, (20, 17)))


def test_the_finger_that_is_left_of_two_draws_nothing(hands: Hands, touch: Touch) -> None:
    touch("Start", (14, 12))
    touch("Start", (14, 12), (18, 12))
    touch("Move", (13, 12), (18, 12))
    touch("End", (13, 12))
    touch("Move", (5, 18))
    touch("End")
    assert hands.page.locator("#undo").is_disabled()
    assert hands.page.locator("#save").is_disabled()


def test_a_fill_waits_for_a_second_finger(hands: Hands, touch: Touch, out: Out) -> None:
    hands.keys("f")
    touch("Start", (5, 14))  # on the other object
    touch("Start", (5, 14), (18, 14))
    touch("Move", (4, 14), (20, 14))
    touch("End")
    assert hands.page.locator("#undo").is_disabled()
    hands.keys("0")
    touch("Start", (5, 14))
    touch("End")
    hands.save()
    np.testing.assert_array_equal(saved(out, 1), out.ids[1] > 0)


def test_a_pen_draws_though_the_palm_lies_there_first(
    hands: Hands, touch: Touch, pen: Touch, out: Out
) -> None:
    touch("Start", (4, 20))  # the palm, which a finger could be
    pen("Pressed", (20, 14))
    touch("Move", (5, 21))
    pen("Moved", (20, 15))
    touch("End")
    pen("Moved", (20, 16))
    pen("Released", (20, 16))
    hands.save()
    np.testing.assert_array_equal(saved(out, 1), drawn(out, (20, 14), (20, 15), (20, 16)))


def test_where_a_pen_draws_a_finger_moves_the_picture(
    hands: Hands, touch: Touch, pen: Touch, out: Out
) -> None:
    pen("Pressed", (20, 17))
    pen("Released", (20, 17))
    hands.page.wait_for_timeout(900)
    touch("Start", (4, 20))
    touch("Move", (4, 18))
    touch("End")
    hands.page.wait_for_timeout(900)
    pen("Pressed", (24, 18))  # two further down in the picture
    pen("Released", (24, 18))
    hands.save()
    np.testing.assert_array_equal(saved(out, 1), drawn(out, (20, 17), (24, 20)))


@pytest.mark.parametrize("tool", ["b", "f"])
def test_the_other_end_of_a_pen_erases(tool: str, hands: Hands, out: Out) -> None:
    hands.keys(tool)
    x, y = hands.at(5, 6)
    hands.page.evaluate(
        """([clientX, clientY]) => {
          const canvas = document.querySelector("#canvas");
          const pen = { pointerId: 1, pointerType: "pen", bubbles: true };
          const say = (kind, button, buttons) =>
            canvas.dispatchEvent(new PointerEvent(kind, { ...pen, button, buttons, clientX, clientY }));
          say("pointerdown", 5, 32);
          say("pointerup", 5, 0);
        }""",
        [x, y],
    )
    hands.save()
    expected = out.ids[1].copy()
    expected[disc(out.size, 5, 6, BRUSH)] = 0
    np.testing.assert_array_equal(saved(out, 1), expected)
    hands.keys("b")
    hands.stroke((5, 6))  # the tool is what it was
    hands.save()
    assert not out.correction(1).exists()  # it is as it was
