"""Small output folders to look at, and a client that passes the guards."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from starlette.testclient import TestClient

from tests.pipelines.reviewing.browser import Hands, Open, launched
from vsodtool.media.masks.plane_png import Palette, encode_plane_png
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import COMPLETE, write_manifest
from vsodtool.media.output.resume import describe_run
from vsodtool.media.output.tables.frames_csv import write_frames_csv
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.reviewing.app import make_app, pack_ids
from vsodtool.pipelines.reviewing.folder import open_folder
from vsodtool.pipelines.reviewing.rerun import Updater
from vsodtool.pipelines.reviewing.server import ReviewServer
from vsodtool.pipelines.reviewing.session import Session, Suggested
from vsodtool.types import FrameRecord, FrameStatus

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Pixels = npt.NDArray[np.uint8]
PORT, TOKEN = 4321, "a token of the tests"
PALETTE = Palette(bytes(value for number in range(256) for value in (number, 255 - number, number // 2)))


@dataclass
class Out:
    """An output folder, written by hand.

    Attributes:
        root: the folder.
        size: (H, W) of the frames.
        names: of the frames.
        given: their indices.
        ids: the masks, uint8 (H, W).
    """

    root: Path
    size: tuple[int, int]
    names: list[str]
    given: Sequence[int]
    ids: list[Pixels] = field(default_factory=list)

    @property
    def layout(self) -> OutputLayout:
        return OutputLayout(self.root)

    def correction(self, index: int, video: str = "clip") -> Path:
        return self.layout.correction(video, self.names[index])


MakeOut = Callable[..., Out]


@pytest.fixture
def make_out(tmp_path: Path) -> MakeOut:
    """Write an output folder: a square that moves over noise, every fourth frame given."""

    def make(
        count: int = 9,
        size: tuple[int, int] = (24, 32),
        *,
        objects: int = 1,
        encoding: str = "palette",
        command: str = "pseudolabel",
        video: str = "clip",
        status: str = COMPLETE,
        confidence: Callable[[int], float] = lambda index: 0.9 - 0.07 * (index % 4),
    ) -> Out:
        root, frames = tmp_path / "out", tmp_path / video
        frames.mkdir(parents=True)
        names = [f"{index:05d}" for index in range(count)]
        given = [] if command == "predict" else [*range(0, count, 4)]
        out = Out(root, size, names, given)
        rng = np.random.default_rng(0)
        for index, name in enumerate(names):
            cv2.imwrite(str(frames / f"{name}.png"), rng.integers(0, 256, (*size, 3), dtype=np.uint8))
            ids = np.zeros(size, np.uint8)
            for number in range(objects):
                top, left = 3 + 9 * number, 2 + index
                ids[top : top + 7, left : left + 9] = number + 1
            out.ids.append(ids)
            plane = ids if encoding == "palette" else (ids > 0) * np.uint8(255)
            path = out.layout.masks(video, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_plane_png(plane, PALETTE if encoding == "palette" else None))
        rows = []
        for index, name in enumerate(names):
            left, right = 4 * (index // 4), 4 * (index // 4) + 4
            is_given = index in given
            rows.append(
                FrameRecord(
                    video,
                    name,
                    FrameStatus.GIVEN if is_given else FrameStatus.GENERATED,
                    names[left],
                    name if is_given else names[right] if right < count else "",
                    1.0 if is_given else confidence(index),
                )
            )
        write_frames_csv(out.layout.frames_csv, rows)
        config = {"inputs": [str(frames)], "output": str(root), "method": "warp"}
        manifest = describe_run(command, config, discover_videos([str(frames)]), {})
        completed = manifest.completed(rows, 1.0)
        if status != COMPLETE:
            completed = type(completed)(**{**vars(completed), "status": status})
        write_manifest(out.layout.manifest, completed)
        return out

    return make


@dataclass
class Client:
    """Speaks with the application as the page does.

    Attributes:
        http: the client of starlette.
        session: what is looked at.
    """

    http: TestClient
    session: Session
    headers: dict[str, str] = field(default_factory=lambda: {"Host": f"127.0.0.1:{PORT}", "X-Token": TOKEN})

    def get(self, path: str, **headers: str):  # type: ignore[no-untyped-def]
        return self.http.get(path, headers={**self.headers, **headers})

    def write(self, method: str, path: str, **options):  # type: ignore[no-untyped-def]
        headers = {**self.headers, "Origin": f"http://127.0.0.1:{PORT}", **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)

    def put_mask(self, ids: npt.NDArray[np.integer], etag: str, path: str = "/api/v/0/mask/1"):  # type: ignore[no-untyped-def]
        packed = gzip.compress(pack_ids(ids.astype(np.uint16)))
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "gzip",
            "If-Match": f'"{etag}"',
        }
        return self.write("PUT", path, content=packed, headers=headers)

    def mask(self, frame: int = 1) -> tuple[npt.NDArray[np.integer], str]:
        """The ids of a frame, and their etag."""
        answer = self.get(f"/api/v/0/mask/{frame}")
        assert answer.status_code == 200
        height, width = self.session.video(0).size
        kind = np.uint8 if len(answer.content) == height * width else np.uint16
        return np.frombuffer(answer.content, kind).reshape(height, width), answer.headers["etag"].strip('"')


Connect = Callable[..., Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Open an output folder and speak with its application."""
    sessions: list[Session] = []

    def make(
        out: Out,
        *,
        read_only: bool = False,
        updater: Callable[[], Updater] | None = None,
        timeout: float = 30,
        suggest: Callable[[], Suggested] = dict,
    ) -> Client:
        session = Session(open_folder(out.root), read_only=read_only, updater=updater, suggest=suggest)
        sessions.append(session.__enter__())
        app = make_app(session, port=PORT, token=TOKEN, timeout=timeout)
        return Client(TestClient(app, base_url=f"http://127.0.0.1:{PORT}"), session)

    yield make
    for session in sessions:
        session.__exit__(None, None, None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from launched()


@pytest.fixture
def open_page(browser: Browser, connect: Connect, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Serve an output folder and open its page; what goes wrong in the page fails the test."""
    servers: list[tuple[ReviewServer, threading.Thread]] = []
    people: list[Hands] = []

    def make(
        out: Out,
        *,
        updater: Callable[[], Updater] | None = None,
        read_only: bool = False,
        before: Callable[[Hands], None] = lambda _: None,
        **context: object,
    ) -> Hands:
        session = connect(out, updater=updater, read_only=read_only).session
        server = ReviewServer(session)
        thread = threading.Thread(target=server.run)
        thread.start()
        servers.append((server, thread))
        hands = Hands(browser.new_page(**context), out.size)  # type: ignore[arg-type]
        people.append(hands)
        hands.server = server  # type: ignore[attr-defined]
        before(hands)
        return hands.open(server.address)

    yield make
    for hands in people:
        if not hands.page.is_closed():
            request.node.add_report_section("teardown", "page", hands.tell())  # shown if the test failed
        hands.page.close()
    for server, thread in servers:
        server.stop()
        thread.join(30)
    assert [error for hands in people for error in hands.errors] == []
