"""The page with its data inside, one file: to look at and to pass on (`review --html FILE`).

Frames are JPEGs of at most 640 pixels, masks packed ids of the same size. What would be larger than 64 MiB
holds every K-th frame, the worst ones and the labels; the page says so.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsodtool.errors import DataError
from vsodtool.media.images import encode_jpeg, shrink_picture
from vsodtool.pipelines.reviewing.app import PAGE, pack_ids, page_files
from vsodtool.pipelines.reviewing.session import OpenVideo, Session
from vsodtool.types import Event, FrameRecord, FrameStatus, LabelArray, OnEvent

LONGEST = 640
QUALITY = 80
MOST_BYTES = 64 << 20
_WORST = 300
_TRIED = 5  # frames from which the size of all is estimated
_PRELOAD = re.compile(r'^<link rel="modulepreload".*\n', re.MULTILINE)
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:class|function|const) (\w+))", re.MULTILINE)


@dataclass(frozen=True)
class _Chosen:
    """What of a video is in the page.

    Attributes:
        video: the video.
        rows: of its frames that are.
        indices: of these.
    """

    video: OpenVideo
    rows: list[FrameRecord]
    indices: list[int]


def passed_on_page(session: Session, on_event: OnEvent, most: int = MOST_BYTES) -> bytes:
    """The page with the data of a session.

    Args:
        session: what is looked at.
        on_event: hears of the progress.
        most: about the size in bytes that it may have.

    Raises:
        DataError: a frame or a video cannot be read. A mask that cannot be used is told in its place.
    """
    videos = [session.video(number) for number in range(len(session.folder.videos))]
    rows = session.rows()
    share = most // max(1, len(videos))
    chosen = [_choose(video, rows[video.video.name], share) for video in videos]
    total, kept = sum(len(video.video.names) for video in videos), sum(len(each.indices) for each in chosen)
    note = "" if kept == total else f"This page holds {kept} of {total} frames: some of all, and the worst."
    frames: dict[str, tuple[str, str, str]] = {}
    for number, each in enumerate(chosen):
        name = each.video.video.name
        on_event(Event("video", name, total=len(each.indices)))
        for place, (picture, mask, wrong) in enumerate(_packed(each)):
            frames[f"{number}/{place}"] = _text(picture), _text(mask), wrong
            if wrong:
                on_event(Event("warning", name, wrong))
            on_event(Event("frame", name, done=place + 1, total=len(each.indices)))
        on_event(Event("done", name, done=len(each.indices), total=len(each.indices)))
    data = {
        "state": _thinned(session.state(), chosen),
        "videos": [_small_info(video) for video in videos],
        "frames": frames,
        "note": note,
    }
    return _page(json.dumps(data).replace("<", "\\u003c")).encode()


def _choose(video: OpenVideo, rows: list[FrameRecord], most: int) -> _Chosen:
    """As many frames as fit: all; or labels and worst first, then evenly."""
    tried = range(0, len(rows), -(-len(rows) // _TRIED))
    sizes = [len(picture) + len(mask) for picture, mask, _ in _packed(_Chosen(video, rows, list(tried)))]
    each = 4 / 3 * float(np.mean(sizes)) + 150 if sizes else 1.0
    fit = max(1, int(most / each))
    if fit >= len(rows):
        return _Chosen(video, rows, list(range(len(rows))))
    made = [place for place, row in enumerate(rows) if row.status is FrameStatus.GENERATED]
    worst = sorted(made, key=lambda place: rows[place].confidence)[: min(_WORST, fit // 2)]
    labels = [
        place
        for place, row in enumerate(rows)
        if row.status is FrameStatus.GIVEN or video.masks.corrected(row.frame)
    ]
    found = {*worst, *labels[:: max(1, -(-4 * len(labels) // fit))]}
    found |= set(range(0, len(rows), -(-len(rows) // max(1, fit - len(found)))))
    indices = sorted(found)
    return _Chosen(video, [rows[place] for place in indices], indices)


def _packed(chosen: _Chosen) -> Iterator[tuple[bytes, bytes, str]]:
    """Picture and mask of each frame, in order, and what is wrong with the mask.

    A frame that does not decode is an empty picture, a mask that cannot be used is nothing.
    """
    video = chosen.video
    height, width = small = _small(video)
    pictures = iter(video.video.source.select(set(chosen.indices)))
    frame = next(pictures, None)
    for index in chosen.indices:
        picture = b""
        if frame is not None and frame.index == index:
            picture = shrink_picture(encode_jpeg(frame.rgb, 95), max(small), QUALITY)
            frame = next(pictures, None)
        wrong = ""
        try:
            ids = video.masks.read(video.video.names[index]).ids
        except DataError as error:
            ids, wrong = np.zeros(video.size, np.uint16), error.message
        yield picture, gzip.compress(pack_ids(_shrunk(ids, height, width)), 6, mtime=0), wrong


def _shrunk(ids: LabelArray, height: int, width: int) -> LabelArray:
    """The id at the middle of each larger pixel."""
    rows = (np.arange(height) + 0.5) * ids.shape[0] / height
    columns = (np.arange(width) + 0.5) * ids.shape[1] / width
    return ids[np.ix_(rows.astype(int), columns.astype(int))]


def _small(video: OpenVideo) -> tuple[int, int]:
    height, width = video.size
    scale = min(1.0, LONGEST / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _small_info(video: OpenVideo) -> dict[str, Any]:
    height, width = _small(video)
    return {**video.as_dict(), "height": height, "width": width}


def _thinned(state: dict[str, Any], chosen: Sequence[_Chosen]) -> dict[str, Any]:
    """The state with the frames that are in the page, numbered anew."""
    for video, each in zip(state["videos"], chosen, strict=True):
        place = {index: number for number, index in enumerate(each.indices)}
        video["frames"] = [
            [*row[:3], place.get(row[3], -1), place.get(row[4], -1)]
            for row in (video["frames"][index] for index in each.indices)
        ]
        video["corrected"] = [place[index] for index in video["corrected"] if index in place]
        video["suggested"] = [place[index] for index in video["suggested"] if index in place]
        video["flags"] = {
            str(place[int(index)]): said for index, said in video["flags"].items() if int(index) in place
        }
    return {**state, "canRerun": False, "stale": []}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _page(data: str) -> str:
    """index.html with styles, scripts and data inside, and a policy that allows just these."""
    script, style = bundle(), (PAGE / "app.css").read_text("utf-8")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    text = _PRELOAD.sub("", (PAGE / "index.html").read_text("utf-8"))
    parts = {
        '<meta charset="utf-8">': '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">',
        '<link rel="stylesheet" href="app.css">': f"<style>{style}</style>",
        '<script type="module" src="app.js"></script>': (
            f'<script type="application/json" id="data">{data}</script>\n'
            f'<script type="module">{script}</script>'
        ),
    }
    for place, new in parts.items():
        before, found, after = text.partition(place)
        if not found:
            raise AssertionError(f"index.html has no {place}")
        text = before + new + after
    return text


def bundle() -> str:
    """The scripts of the page as one: each module a function that returns what it exports."""
    sources = {name[:-3]: (PAGE / name).read_text("utf-8") for name in page_files() if name.endswith(".js")}
    done: list[str] = []
    pieces: list[str] = []

    def add(name: str) -> None:
        if name in done:
            return
        done.append(name)
        for _, other in _IMPORT.findall(sources[name]):
            add(other)
        body = _IMPORT.sub(lambda found: f"const {{{found[1]}}} = ${found[2]};", sources[name])
        exports = ", ".join(found[2] for found in _EXPORT.finditer(body))
        plain = _EXPORT.sub(r"\1", body)
        pieces.append(f"const ${name} = (() => {{\n{plain}\nreturn {{ {exports} }};\n}})();\n")

    add("app")
    return "".join(pieces)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
