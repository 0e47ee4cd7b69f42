"""The requests of the page, each a few lines: numbers in, bytes or JSON out. Only numbers make paths."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import zlib
from collections.abc import Awaitable, Callable
from functools import partial
from importlib import resources
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from vsodtool.checks import whole_number
from vsodtool.errors import DataError, DeviceError, UsageError, VsodtoolError
from vsodtool.media.output.review_notes import FLAGS, LONGEST_NOTE
from vsodtool.pipelines.reviewing.guards import BODY_TIMEOUT, Guards
from vsodtool.pipelines.reviewing.masks import MaskConflictError, UnusableCorrectionError
from vsodtool.pipelines.reviewing.rerun import RUNNING
from vsodtool.pipelines.reviewing.session import OpenVideo, Session, object_dict
from vsodtool.types import LabelArray, Size

JSON_LIMIT = 64 << 10
_GZIP_OVERHEAD = 1 << 10
_SMALLEST, _LARGEST = 16, 4096  # sides of pictures that may be asked for
_PAUSE = 0.03  # seconds between two looks whether a frame is decoded
_LOOKS = 4  # after which the page asks again: a browser has six connections, and saves need one
_MASK = re.compile(r"/api/v/([0-9]{1,6})/mask/[0-9]{1,9}")
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
PAGE = resources.files("vsodtool.pipelines.reviewing") / "page"


class _Json(JSONResponse):
    """In ASCII: names of files may hold bytes that are no text."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content).encode("ascii")


class _Index(IntegerConvertor):
    """Of a video or a frame; what is longer is none."""

    regex = "[0-9]{1,9}"


register_url_convertor("index", _Index())

Handler = Callable[[Session, Request], Awaitable[Response]]


def make_app(session: Session, *, port: int, token: str, timeout: float = BODY_TIMEOUT) -> ASGIApp:
    """The application of a review, guarded.

    Args:
        session: what is looked at.
        port: that the server listens on.
        token: that the page's requests carry.
        timeout: seconds that a piece of a body may take.
    """

    def route(path: str, *methods: str, handler: Handler) -> Route:
        return Route(path, partial(_answer, session, handler), methods=list(methods))

    routes = [
        route("/api/state", "GET", handler=_state),
        route("/api/progress", "GET", handler=_progress),
        route("/api/rerun", "POST", handler=_rerun),
        route("/api/look", "POST", handler=_look),
        route("/api/objects", "POST", handler=_add_object),
        route("/api/v/{video:index}", "GET", handler=_video),
        route("/api/v/{video:index}/frame/{frame:index}", "GET", handler=_frame),
        route("/api/v/{video:index}/mask/{frame:index}", "GET", handler=_mask),
        route("/api/v/{video:index}/mask/{frame:index}", "PUT", handler=_save),
        route("/api/v/{video:index}/mask/{frame:index}", "DELETE", handler=_take_back),
        route("/api/v/{video:index}/flag/{frame:index}", "PUT", handler=_flag),
        route("/api/v/{video:index}/confidence/{frame:index}", "GET", handler=_confidence),
        *(Route(f"/{name}", partial(_static, name)) for name in page_files()),
        Route("/", partial(_static, "index.html")),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _no_such})
    app.router.redirect_slashes = False
    return Guards(app, port=port, token=token, limit=partial(_limit, session), timeout=timeout)


def page_files() -> list[str]:
    """The files of the page, in the order of their names."""
    return sorted(each.name for each in PAGE.iterdir() if "." + each.name.rpartition(".")[2] in KINDS)


def _limit(session: Session, path: str) -> int:
    """Bytes that may be sent to a path: as much as a mask that does not compress, or a short JSON text."""
    found = _MASK.fullmatch(path)
    if found is None or int(found[1]) >= len(session.folder.videos):
        return JSON_LIMIT
    try:
        height, width = session.video(int(found[1])).size
    except VsodtoolError:  # is told by the handler
        return JSON_LIMIT
    return 2 * height * width + _GZIP_OVERHEAD


async def _answer(session: Session, handler: Handler, request: Request) -> Response:
    """What a handler says; errors as JSON with a message and a hint."""
    if handler not in (_state, _progress) and request.headers.get("x-folder", session.name) != session.name:
        return _error(410, "another folder is served at this address now", "load the page again")
    try:
        return await handler(session, request)
    except MaskConflictError as conflict:
        return _Json({"error": str(conflict), "etag": conflict.etag}, 409)
    except IndexError:
        return _error(404, "no such video or frame")
    except ClientDisconnect:
        return _error(400, "the body was cut")
    except VsodtoolError as error:
        status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
        etag = error.etag if isinstance(error, UnusableCorrectionError) else ""
        return _error(status, error.message, error.hint, etag)


_STATUS = {UsageError: 403, DataError: 422, DeviceError: 507}


def _error(status: int, message: str, hint: str = "", etag: str = "") -> Response:
    return _Json({"error": message, "hint": hint, **({"etag": etag} if etag else {})}, status)


async def _no_such(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, HTTPException)
    return _error(error.status_code, error.detail)


async def _static(name: str, request: Request) -> Response:
    data, kind = (PAGE / name).read_bytes(), KINDS[name[name.rindex(".") :]]
    if "gzip" in request.headers.get("accept-encoding", ""):
        return _zipped(data, kind)
    return Response(data, media_type=kind)


async def _state(session: Session, request: Request) -> Response:
    del request
    return _zipped(json.dumps(await run_in_threadpool(session.state)).encode(), "application/json")


async def _progress(session: Session, request: Request) -> Response:
    del request
    return _Json(await run_in_threadpool(session.progress))


async def _video(session: Session, request: Request) -> Response:
    return _Json(await run_in_threadpool(session.describe, request.path_params["video"]))


async def _frame(session: Session, request: Request) -> Response:
    video, index, _ = await _find(session, request)
    longest = whole_number(request.query_params.get("max", "0"))
    if longest is None or not (longest == 0 or _SMALLEST <= longest <= _LARGEST):
        return _error(400, f"expected max of {_SMALLEST} to {_LARGEST}")
    for _ in range(_LOOKS):
        if video.frames.ready(index):
            break
        await asyncio.sleep(_PAUSE)
    else:
        return Response(status_code=202)
    picture = await run_in_threadpool(video.frames.read, index, longest)
    return Response(picture.data, media_type=picture.kind)


async def _mask(session: Session, request: Request) -> Response:
    video, _, name = await _find(session, request)
    mask = await run_in_threadpool(video.masks.read, name)
    response = await run_in_threadpool(_zipped, pack_ids(mask.ids), "application/octet-stream")
    response.headers["ETag"] = f'"{mask.etag}"'
    response.headers["X-Corrected"] = str(int(mask.corrected))
    return response


async def _save(session: Session, request: Request) -> Response:
    video, _, name = await _find(session, request)
    began_from = request.headers.get("if-match", "").strip().removeprefix('"').removesuffix('"')
    if not began_from:
        return _error(428, "expected If-Match with the ETag of the mask that was corrected")
    data = await request.body()
    session.check_writable()
    if request.headers.get("content-encoding", "") == "gzip":
        data = await run_in_threadpool(_unzip, data, 2 * video.size[0] * video.size[1])
    ids = unpack_ids(data, video.size)
    etag = await run_in_threadpool(video.masks.save, name, ids, began_from)
    return _changed(session, session.saved(), {"etag": etag})


async def _take_back(session: Session, request: Request) -> Response:
    video, _, name = await _find(session, request)
    session.check_writable()
    began_from = request.headers.get("if-match", "").strip().removeprefix('"').removesuffix('"')
    if not began_from:
        return _error(428, "expected If-Match with the ETag of the correction")
    mask = await run_in_threadpool(video.masks.take_back, name, began_from)
    return _changed(session, session.saved(), {"etag": mask.etag})


async def _flag(session: Session, request: Request) -> Response:
    video, _, name = await _find(session, request)
    said = await _json(request)
    flag, note, before = said.get("flag") or "", said.get("note") or "", said.get("before")
    if before is not None:
        before = tuple(before) if isinstance(before, list) else ()
        if len(before) != 2 or not all(isinstance(each, str) for each in before):
            return _error(400, "expected the verdict and the note that were seen before")
    if flag not in ("", *FLAGS) or not isinstance(note, str) or len(note) > LONGEST_NOTE:
        return _error(400, f"expected ok, bad, skip or null, and a note of at most {LONGEST_NOTE} characters")
    session.check_writable()
    now = await run_in_threadpool(session.notes.set, video.video.name, name, flag, note, before)
    return _changed(session, session.changed(), {"said": [now.flag, now.note], "who": now.who})


async def _add_object(session: Session, request: Request) -> Response:
    said = await _json(request)
    number, name = said.get("video"), said.get("name")
    if not isinstance(number, int) or not isinstance(name, str):
        return _error(400, "expected the number of a video and a name")
    session.check_writable()
    info = await run_in_threadpool(session.add_object, number, name)
    return _changed(session, session.changed(), object_dict(info), 201)


async def _rerun(session: Session, request: Request) -> Response:
    await _json(request)
    session.check_writable()
    if session.rerun is None:
        return _error(403, f"labels of {session.folder.command} are not made again here")
    if not session.rerun.start():
        return _error(409, "labels are being made already")
    return _Json(session.progress(), 202)


async def _look(session: Session, request: Request) -> Response:
    """What is to be made again by now: masks that another program changed in place are not noticed else."""
    await _json(request)
    session.check_writable()
    if session.rerun is None or session.rerun.progress.state == RUNNING:
        return _Json(session.progress())
    known = session.rerun.progress.stale
    await asyncio.wrap_future(session.rerun.look())
    if session.rerun.progress.stale == known:
        return _Json(session.progress())
    return _changed(session, {**session.changed(), "before": ""}, {})  # what changed is to be read anew


async def _confidence(session: Session, request: Request) -> Response:
    video, _, name = await _find(session, request)
    path = session.folder.layout.confidence(video.video.name, name)
    if not path.is_file():
        return _error(404, "no confidence was written for this frame")
    return Response(await run_in_threadpool(path.read_bytes), media_type="image/png")


def _changed(
    session: Session, revisions: dict[str, str], told: dict[str, Any], status: int = 200
) -> Response:
    """What is so after a change, with the revisions around it: there may have been others."""
    return _Json({**told, **session.progress(), **revisions}, status)


async def _find(session: Session, request: Request) -> tuple[OpenVideo, int, str]:
    """The video, the index and the name of the frame that a request is about.

    Raises:
        IndexError: there is none.
    """
    video = await run_in_threadpool(session.video, request.path_params["video"])
    index: int = request.path_params["frame"]
    return video, index, video.video.names[index]


async def _json(request: Request) -> dict[str, Any]:
    try:
        said = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "expected JSON") from error
    if not isinstance(said, dict):
        raise HTTPException(400, "expected an object of JSON")
    return said


def pack_ids(ids: LabelArray) -> bytes:
    """Ids row by row, a byte each; two, the lower first, where one does not suffice."""
    return ids.astype(np.uint8 if int(ids.max(initial=0)) < 256 else "<u2").tobytes()


def unpack_ids(data: bytes, size: Size) -> LabelArray:
    """What `pack_ids` made, uint16 (H, W).

    Raises:
        DataError: it is a mask of another size.
    """
    pixels = size[0] * size[1]
    if len(data) not in (pixels, 2 * pixels):
        raise DataError(
            f"expected a mask of {size[1]}x{size[0]} like its frame, found {len(data)} bytes",
            "send a byte, or two, for each pixel",
        )
    kind = np.uint8 if len(data) == pixels else np.dtype("<u2")
    return np.frombuffer(data, kind).astype(np.uint16).reshape(size)


def _unzip(data: bytes, most: int) -> bytes:
    """What is packed, if it is no more than so many bytes; no more of it is ever in memory.

    Raises:
        DataError: it is more, or no gzip.
    """
    unpacker = zlib.decompressobj(wbits=31)
    try:
        found = unpacker.decompress(data, most + 1)
    except zlib.error as error:
        raise DataError(f"expected gzip, found something else: {error}", "send the mask again") from error
    if len(found) > most or unpacker.unconsumed_tail:
        raise DataError(f"expected at most {most} bytes, found more", "send a mask of the frame's size")
    if not unpacker.eof:
        raise DataError("expected gzip, found only its beginning", "send the mask again")
    return found


def _zipped(data: bytes, kind: str) -> Response:
    return Response(gzip.compress(data, 1, mtime=0), media_type=kind, headers={"Content-Encoding": "gzip"})
