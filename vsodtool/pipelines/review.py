"""`vsodtool review`: labels in the browser, worst first, to look at, correct, and make again.

OUT/corrections/<video>/<frame>.png and OUT/corrections/review.json; or, with --html, one file to pass on.
"""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from vsodtool.config import PseudoLabelConfig, ReviewConfig
from vsodtool.config.shell_words import shell_word
from vsodtool.errors import UsageError
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.pipelines.reviewing.begin import begin_folder, first_frames
from vsodtool.pipelines.reviewing.first_labels import FirstLabels, labels_of, next_command, undrawn
from vsodtool.pipelines.reviewing.folder import DRAWN, ReviewFolder, open_folder
from vsodtool.pipelines.reviewing.notes import Notes
from vsodtool.pipelines.reviewing.rerun import Updater
from vsodtool.pipelines.reviewing.server import ReviewServer
from vsodtool.pipelines.reviewing.session import Session
from vsodtool.pipelines.suggesting.finished import is_output, read_finished
from vsodtool.pipelines.suggesting.ranking import rank_at_once
from vsodtool.types import Event, OnEvent, ignore_event

SUGGESTED = 5  # frames that the time line marks as those to label next: as many as `suggest` names


@dataclass(frozen=True)
class ReviewVideoReport:
    """What is known of one video when the page is closed.

    Attributes:
        name: of the video.
        frames: number of frames.
        corrected: frames with a correction.
        ok: frames flagged so; bad and skip alike.
        bad: to be looked at again.
        skip: not to be used.
    """

    name: str
    frames: int
    corrected: int
    ok: int
    bad: int
    skip: int


@dataclass(frozen=True)
class ReviewReport:
    """What a review left.

    Attributes:
        output: the folder that was looked at.
        html: the page that was written, "" if it was served.
        videos: one entry for each that was shown.
    """

    output: Path
    html: str = ""
    videos: list[ReviewVideoReport] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """In JSON types."""
        return {**asdict(self), "output": str(self.output)}


def run_review(
    config: ReviewConfig,
    *,
    updater: Callable[[Path], Updater] | None = None,
    serving: Callable[[ReviewServer], None] = lambda _: None,
    on_event: OnEvent = ignore_event,
) -> ReviewReport:
    """Show an output folder in the browser until the process is interrupted, or write it as one file.

    Args:
        config: what to do.
        updater: makes labels again, instead of `vsodtool.pipelines.update`.
        serving: called with the server before it runs.
        on_event: hears the address of the page.

    Raises:
        UsageError: it is no output folder of pseudolabel or predict, or the file exists.
        DataError: the run is not finished, an input has gone or changed, or there is no such video.
        DeviceError: the port is taken, or something cannot be written.
    """
    root = _begun(config)
    folder = open_folder(root, config.video)
    if config.import_:
        frames = {video.name: video.names for video in folder.videos}
        count = Notes(folder.layout).take(Path(config.import_), frames) if not config.dry_run else 0
        on_event(Event("notice", message=f"{count} flags taken over from {config.import_}"))
    if config.dry_run:
        count = sum(len(video.names) for video in folder.videos)
        on_event(Event("notice", message=f"would show {count} frames of {root}"))
    elif config.html:
        with Session(folder, read_only=True, suggest=partial(_suggested, folder)) as session:
            _write_page(config, session, on_event)
    else:
        folder = _look_through(config, folder, updater or _updater, serving, on_event)
        _tell_next(folder, on_event)
    return _report(config, folder)


def _look_through(
    config: ReviewConfig,
    folder: ReviewFolder,
    updater: Callable[[Path], Updater],
    serving: Callable[[ReviewServer], None],
    on_event: OnEvent,
) -> ReviewFolder:
    """Show a folder, and after it the labels that were made of what was drawn there; the one shown last."""
    servers: list[ReviewServer] = []
    note = ""
    while True:
        made: list[Path] = []
        with ExitStack() as stack:
            session = Session(
                folder,
                read_only=config.read_only,
                updater=_maker(folder, updater),
                suggest=partial(_suggested, folder),
                ended=partial(_hand_over, config, folder, made, servers, on_event),
                note=note[:1].upper() + note[1:],  # a sentence of its own there
            )
            stack.enter_context(session)
            preparing = threading.Thread(target=session.prepare, name="prepare")
            preparing.start()
            stack.callback(preparing.join)
            servers.append(_server(session, config, servers, on_event))
            serving(servers[-1])
            servers[-1].run()
        if not made:
            return folder
        note = _left(config, folder)
        folder = open_folder(made[0])
        on_event(Event("notice", message=f"labels: {made[0]}; the page shows them now"))
        if note:
            on_event(Event("notice", message=note))


def _left(config: ReviewConfig, drawn: ReviewFolder) -> str:
    """What is not among the labels, and how to go on with it; "" if nothing is left."""
    names = undrawn(drawn)
    if not names:
        return ""
    output = f" -o {shell_word(config.output)}" if config.output else ""
    return f"no mask yet: {_few(names)}; to draw some: vsodtool review {shell_word(config.source)}{output}"


def _few(names: Sequence[str]) -> str:
    """The first of some names."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _maker(folder: ReviewFolder, updater: Callable[[Path], Updater]) -> Callable[[], Updater] | None:
    """What makes labels of this folder's masks; None where there are none to make."""
    if folder.command == DRAWN:
        return partial(FirstLabels, folder, _label)
    return partial(updater, folder.layout.root) if folder.command == "pseudolabel" else None


def _hand_over(
    config: ReviewConfig,
    folder: ReviewFolder,
    made: list[Path],
    servers: Sequence[ReviewServer],
    on_event: OnEvent,
) -> None:
    """After labels were made: of a bare video's masks they lie elsewhere, and are shown from now on.

    Elsewhere labels of a video that the page does not know may have been made in addition: it is named.
    """
    if folder.command == DRAWN:
        made.append(labels_of(folder.layout.root))
        servers[-1].stop()
    elif not config.video:
        shown = {video.name for video in folder.videos}
        new = [name for name in folder.rows() if name not in shown]
        if new:
            text = (
                f"labels of {_few(new)} were made in addition: Ctrl-C and the same command again shows them"
            )
            on_event(Event("notice", message=text))


def _updater(output: Path) -> Updater:
    from vsodtool.pipelines.update import Updater as MaskUpdater  # brings torch: only when it is needed

    return MaskUpdater(output)


def _label(config: PseudoLabelConfig, on_event: OnEvent) -> None:
    from vsodtool.pipelines.pseudolabel import run_pseudolabel  # brings torch: only when it is needed

    run_pseudolabel(config, on_event=on_event)


def _begun(config: ReviewConfig) -> Path:
    """The folder that is looked at; of a bare video one is begun."""
    if is_output(config.source):
        if config.output:
            raise UsageError(
                f"output: '{config.output}' given, but {config.source} is an OUT folder", "leave it out"
            )
        return config.source
    root = Path(config.output or f"{config.source.resolve().stem}-drawn")
    if config.dry_run and not is_output(root):
        raise UsageError(
            f"{config.source} is no OUT folder: nothing to show before {root} is begun",
            "leave --dry-run away",
        )
    begin_folder(config.source, root)
    return root


def _suggested(folder: ReviewFolder) -> Mapping[str, Collection[int]]:
    """What `vsodtool suggest OUT` names, by video."""
    if folder.command == DRAWN:
        return first_frames(folder, SUGGESTED)
    found: dict[str, list[int]] = {}
    for each in rank_at_once(read_finished(folder.layout.root), SUGGESTED).suggestions:
        found.setdefault(each.video, []).append(each.index)
    return found


def _server(
    session: Session, config: ReviewConfig, before: Sequence[ReviewServer], on_event: OnEvent
) -> ReviewServer:
    """The server of a session: a new address, which is told and opened, or the one before's."""
    if before:
        return ReviewServer(session, before[-1].port, before[-1].token)
    server = ReviewServer(session, config.port)
    reason = session.why_read_only()
    if reason:
        on_event(Event("notice", message=f"read-only: {reason}"))
    else:
        where = session.folder.layout.corrections
        on_event(Event("notice", message=f"what you draw goes to {where}; Ctrl-C ends this, nothing is lost"))
    on_event(Event("address", message=server.address))
    if config.browser and _has_display():
        webbrowser.open(server.address)
    return server


def _tell_next(folder: ReviewFolder, on_event: OnEvent) -> None:
    """What to do with the masks that were drawn where nothing can be made again."""
    command = next_command(folder)
    if command and any(folder.layout.corrections.glob("*/*.png")):
        on_event(Event("notice", message=f"next: {command}"))


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _write_page(config: ReviewConfig, session: Session, on_event: OnEvent) -> None:
    from vsodtool.pipelines.reviewing.passed_on import passed_on_page

    target = Path(config.html)
    if target.exists() and not config.overwrite:
        raise UsageError(f"{target} exists", "choose another name with --html, or say --overwrite")
    write_bytes_atomically(target, passed_on_page(session, on_event))


def _report(config: ReviewConfig, folder: ReviewFolder) -> ReviewReport:
    said = Notes(folder.layout).read()
    videos = []
    for video in folder.videos:
        notes = said[video.name].frames.values() if video.name in said else ()
        corrected = sum(folder.layout.correction(video.name, name).is_file() for name in video.names)
        counts = {flag: sum(note.flag == flag for note in notes) for flag in ("ok", "bad", "skip")}
        videos.append(ReviewVideoReport(video.name, len(video.names), corrected, **counts))
    return ReviewReport(folder.layout.root, config.html, videos)
