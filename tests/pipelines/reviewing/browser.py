"""The page in a chromium: found on this machine or skipped, and a person's hands."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from vsodtool.media.masks.reading import read_raw_mask

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request, Response

    from tests.pipelines.reviewing.conftest import Out

AWAY = "**/api/**"  # all that the page asks the server
WAIT = 20_000  # ms; a busy machine is slow, a broken page never gets there


def find_chromium() -> str | None:
    """A chromium of this machine."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    given = os.environ.get("VSODTOOL_CHROMIUM")
    return given or next((path for name in names if (path := shutil.which(name))), None)


def launched() -> Iterator[Browser]:
    """A browser for all tests of a module; skipped where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no chromium here: apt-get install chromium, or name one in VSODTOOL_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Hands:
    """A person at the page.

    Attributes:
        page: of playwright.
        size: (H, W) of the frames.
        errors: what went wrong in the page.
        asked: the requests of the page that the server has not answered yet.
        answers: how many it has answered, by method and the end of their address.
    """

    page: Page
    size: tuple[int, int]
    errors: list[str] = field(default_factory=list)
    asked: set[Request] = field(default_factory=set)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(WAIT)
        # What a page asks in the moment after its first route passes it by. Here is one for nothing, before
        # there is anything to ask; all that come later are kept from their beginning.
        self.page.route("**/nothing", lambda route: route.abort())
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._ask)
        self.page.on("requestfailed", self._lose)
        self.page.on("response", self._hear)
        # What the server refuses is told in the console, too; nothing else may be.
        self.page.on(
            "console",
            lambda said: (
                self.errors.append(said.text)
                if said.type == "error" and "Failed to load resource" not in said.text
                else None
            ),
        )

    def open(self, address: str) -> Hands:
        self.page.goto(address)
        self.await_("ready", "yes")
        return self

    def await_(self, name: str, value: object) -> None:
        """Wait until the page says so of itself."""
        self.page.wait_for_selector(f'body[data-{name}="{value}"]')
        self.repaint()  # only what is on the screen can be accepted

    def answer_once(self, path: str, method: str, act: Callable[[Any], None]) -> None:
        """What becomes of the next request of this kind; the page may ask for the path in other ways, too."""
        left = [act]

        def hear(route: Any) -> None:
            if left and route.request.method == method:
                left.pop()(route)
            else:
                route.fallback()

        self.page.route(f"**/{path}", hear)

    def watch(self, name: str) -> None:
        """Take note of all that the page says of itself by this name from now on."""
        self.page.evaluate(
            """(name) => {
                window.said = [];
                const note = () => window.said.push(document.body.dataset[name]);
                new MutationObserver(note).observe(document.body, { attributeFilter: [`data-${name}`] });
            }""",
            name,
        )

    def await_said(self, value: str) -> None:
        """Wait until the page has said so since `watch`, if not for long."""
        self.page.wait_for_function("(value) => window.said.includes(value)", arg=value)

    def repaint(self) -> None:
        """Wait until the screen shows what the page knows by now."""
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def await_all_saved(self) -> None:
        """Wait until the server has all masks, verdicts and notes."""
        self.page.wait_for_selector("#save:disabled")

    # playwright takes no methods of built-in classes
    def _ask(self, request: Request) -> None:
        self.asked.add(request)

    def _lose(self, request: Request) -> None:
        self.asked.discard(request)

    def _hear(self, said: Response) -> None:
        self.asked.discard(said.request)
        self.answers[said.request.method, said.url.partition("/api/")[2]] += 1

    def await_quiet(self) -> None:
        """Wait until the page has all that it reads ahead."""
        for _ in range(3):  # an answer is followed by the next question
            self.until(lambda: not self.asked)
            self.repaint()

    def await_answer(self, path: str, after: int) -> None:
        """Wait until more than so many questions for a path were answered, and the page has what they say."""
        self.until(lambda: self.answers["GET", path] > after)
        self.await_quiet()

    def lose_server(self) -> None:
        """From now on nobody answers the page; what it asked before has its answer."""
        self.await_quiet()
        self.page.route(AWAY, lambda route: route.abort())

    def find_server(self) -> None:
        """The server is there again."""
        self.page.unroute(AWAY)

    def tell(self) -> str:
        """What the page says of itself, for whoever reads why a test failed."""
        said = self.page.evaluate(
            """() => ({
                ...document.body.dataset,
                stage: document.querySelector("#stage-note")?.textContent,
                banner: document.querySelector("#banner")?.textContent,
                focus: document.activeElement?.id || document.activeElement?.tagName,
            })"""
        )
        return f"the page: {said}; not answered: {[request.url for request in self.asked]}"

    def until(self, so: Callable[[], bool]) -> None:
        """Wait for what the page does not say of itself."""
        for _ in range(WAIT // 20):
            if so():
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"not so after {WAIT / 1000:.0f} s")

    def keys(self, *names: str) -> None:
        for name in names:
            self.page.keyboard.press(name)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where the middle of a pixel of the frame is on the screen while the whole frame is shown."""
        box = self.page.locator("#canvas").bounding_box()
        assert box is not None
        height, width = self.size
        scale = min((box["width"] - 16) / width, (box["height"] - 16) / height)
        left, top = (box["width"] - width * scale) / 2, (box["height"] - height * scale) / 2
        return box["x"] + left + (x + 0.5) * scale, box["y"] + top + (y + 0.5) * scale

    def stroke(self, *places: tuple[int, int]) -> None:
        """Draw from pixel to pixel."""
        mouse = self.page.mouse
        mouse.move(*self.at(*places[0]))
        mouse.down()
        for place in places[1:]:
            mouse.move(*self.at(*place), steps=4)
        mouse.up()

    def brush(self, diameter: int) -> None:
        """Choose a size of the brush by its keys."""
        for _ in range(60):
            now = int(self.page.locator("#size-value").inner_text().split()[0])
            if now == diameter:
                return
            self.keys("[" if now > diameter else "]")
        raise AssertionError(f"no brush of {diameter} pixels")

    def worst(self) -> list[list[str]]:
        """The words of each frame of the list, the worst first."""
        return [text.split() for text in self.page.locator("#worst button").all_inner_texts()]

    def await_worst(self, confidences: list[str]) -> None:
        """Wait until the list tells these, the worst first."""
        self.until(lambda: [words[-1] for words in self.worst()] == confidences)

    def save(self) -> None:
        self.keys("s")
        self.await_("saved", "saved")

    def go(self, frame: int) -> Hands:
        """To a frame of a short video, by the keys."""
        self.keys("Home", *["ArrowRight"] * frame)
        self.await_("frame", frame)
        return self

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def picture(self) -> bytes:
        """The canvas as it is seen, once it has come to rest."""
        self.page.mouse.move(2, 2)
        before = b""
        for _ in range(50):
            self.repaint()
            now = self.page.locator("#stage").screenshot()
            if now == before:
                return now
            before = now
            self.page.wait_for_timeout(80)
        raise AssertionError("the picture never comes to rest")

    def shows(self, picture: bytes) -> bool:
        """Whether the canvas looks like this, if not at once."""
        return any(self.picture() == picture for _ in range(10))


Open = Callable[..., Hands]


class Held:
    """Requests of the page that the server answers only when they are let go."""

    def __init__(self, page: Any, path: str, *methods: str) -> None:
        self.page, self.methods, self.routes = page, methods, list[Any]()
        self.open = False
        page.route(f"**/{path}", self._hear)

    def _hear(self, route: Any) -> None:
        if self.open or route.request.method not in self.methods:
            route.continue_()
        else:
            self.routes.append(route)

    def await_one(self) -> None:
        """Wait until the page has asked."""
        for _ in range(WAIT // 20):
            if self.routes:
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"not asked for {WAIT / 1000:.0f} s")

    def let_go(self) -> None:
        self.open = True
        for route in self.routes:
            route.continue_()


def disc(size: tuple[int, int], x: int, y: int, diameter: int) -> npt.NDArray[np.bool_]:
    rows, columns = np.indices(size)
    return (columns - x) ** 2 + (rows - y) ** 2 <= (diameter / 2) ** 2


def saved(out: Out, frame: int) -> npt.NDArray[np.integer]:
    return read_raw_mask(out.correction(frame)).values
