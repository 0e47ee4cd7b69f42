"""The masks of one video as the page sees them: ids; and corrections, written beside OUT's."""

from __future__ import annotations

import hashlib
import threading
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vsodtool.config.void import AUTO
from vsodtool.errors import DataError, UsageError
from vsodtool.media.annotations.label_images import palette_of
from vsodtool.media.annotations.objects import ObjectInfo, unnamed
from vsodtool.media.atomic import disk_errors, write_bytes_atomically
from vsodtool.media.images import read_grey
from vsodtool.media.masks.encoding import MaskEncoding
from vsodtool.media.masks.fitting import detect_with_corrections
from vsodtool.media.masks.meaning import VOID, Meaning
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.masks.statistics import MaskSummary, summarise
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.regular_file import read_regular
from vsodtool.pipelines.reviewing.shared_folder import SharedFolder
from vsodtool.types import FrameRecord, FrameStatus, LabelArray, Size

_NO_TEXT = frozenset({"Cc", "Cs"})  # categories of Unicode: control characters, halves of others
_LOOKED_AT = 64  # masks by which the encoding is found; all of a run are written alike
_PREDICTED = MaskEncoding("binary255", Meaning((1,), families=frozenset({"grey8"}), threshold=128))
_DRAWN = MaskEncoding("palette", Meaning((1,), "palette", frozenset({"palette"}), palette=palette_of(())))


class MaskConflictError(Exception):
    """A save that began from another mask than lies there now.

    Args:
        etag: of the mask that lies there.
    """

    def __init__(self, etag: str) -> None:
        super().__init__("the mask has changed since it was read")
        self.etag = etag


class UnusableCorrectionError(DataError):
    """A correction that somebody saved, from which nothing can be told.

    Args:
        reason: why.
        etag: of the file, by which it can be taken back.
    """

    def __init__(self, reason: DataError, etag: str) -> None:
        super().__init__(reason.message, f"{reason.hint}; Del takes it back")
        self.etag = etag


@dataclass(frozen=True)
class ReadMask:
    """A mask as it lies there.

    Attributes:
        ids: object ids, uint16 (H, W), 0 = nothing.
        etag: of the ids, SHA-256 in hexadecimal.
        corrected: it is a correction.
    """

    ids: LabelArray
    etag: str
    corrected: bool


class VideoMasks:
    """The masks of one video. Callable from several threads."""

    def __init__(
        self,
        layout: OutputLayout,
        video: str,
        size: Size,
        rows: Sequence[FrameRecord],
        objects: Sequence[ObjectInfo],
        *,
        shared: SharedFolder | None = None,
        drawn: bool = False,
        void: str = AUTO,
    ) -> None:
        """Find out how the masks of the run are stored.

        Args:
            layout: of the run.
            video: name of the video.
            size: (H, W) of its frames.
            rows: of frames.csv.
            objects: that are known by name.
            shared: the folder of corrections, as this server knows it.
            drawn: the run wrote none, all are drawn here: as ids, so that there is room for several objects.
            void: the id of masks that is no object, as the run was told.

        Raises:
            DataError: a mask cannot be read, or has another size than the frames.
        """
        self._layout, self._video, self._size = layout, video, size
        self._shared = SharedFolder(layout) if shared is None else shared
        self._lock = threading.RLock()
        self._misfits: dict[Path, tuple[object, DataError]] = {}
        self._encoding, found = (_DRAWN, (1,)) if drawn else self._detect(rows, void)
        named = {info.id: info for info in objects}
        one = len({*found, *named}) <= 1
        self._objects = dict(named)
        for number in found:
            self._objects.setdefault(number, _unnamed(number, one=one))

    @property
    def objects(self) -> list[ObjectInfo]:
        """All that are known, by id."""
        with self._lock:
            return [self._objects[number] for number in sorted(self._objects)]

    @property
    def closed(self) -> str:
        """Why no object can be added, for people; "" if one can."""
        return self._next_id()[1]

    def know(self, objects: Sequence[ObjectInfo]) -> None:
        """Call objects by these names from now on."""
        with self._lock:
            self._objects.update((info.id, info) for info in objects)

    def new(self, name: str, others: Sequence[ObjectInfo] = ()) -> ObjectInfo:
        """A new object of this name; it is one once it is known.

        Args:
            name: for people.
            others: objects that were added, here or by another server.

        Raises:
            UsageError: the masks are stored in a way that has no room for one, or the name is taken or empty.
        """
        said = "".join(each for each in name if unicodedata.category(each) not in _NO_TEXT or each.isspace())
        self.know(others)
        with self._lock:
            number, reason = self._next_id()
            if reason:
                raise UsageError(reason, "give masks of object ids, as a palette PNG, to --masks")
            name = " ".join(said.split())[:100] or unnamed(number, alone=False)
            if any(info.name == name for info in self._objects.values()):
                raise UsageError(f"expected a new name, found '{name}', which is taken", "choose another")
            return ObjectInfo(number, name, name)

    def corrected(self, frame: str) -> bool:
        """Whether there is a correction of a frame."""
        return self._layout.correction(self._video, frame).is_file()

    def read(self, frame: str) -> ReadMask:
        """The mask of a frame: its correction, else what the run wrote, else nothing.

        Raises:
            UnusableCorrectionError: its correction cannot be read, has another size than its frame, or does
                not go with the other masks.
            DataError: the same of what the run wrote.
        """
        correction = self._layout.correction(self._video, frame)
        try:
            return self._read(frame)
        except DataError as error:
            etag = _etag_of_file(correction)
            if not etag:
                raise
            raise UnusableCorrectionError(error, etag) from error

    def _read(self, frame: str) -> ReadMask:
        path = self._path(frame)
        if path.is_file():
            raw = read_raw_mask(path)
            stamp, misfit = self._misfits.get(path, (None, None))
            if misfit is not None and stamp == _stamp(path):
                raise misfit
            if not self._encoding.fits(raw):
                raise DataError(  # nothing would be shown, and lost with the next save
                    f"{path}: expected a mask stored as {self._encoding.title}, found another",
                    "save it like the others, as indexed or as ids, or open the page again",
                )
            ids = self._encoding.read_written(raw)
        elif (soft := self._layout.soft(self._video, frame)).is_file():
            path = soft
            ids = (read_grey(soft) > 127).astype(np.uint16)
        else:
            ids = np.zeros(self._size, np.uint16)
        if ids.shape != self._size:
            raise _wrong_size(path, self._size, ids)
        with self._lock:
            for number in np.flatnonzero(np.bincount(ids.reshape(-1)))[1 if (ids == 0).any() else 0 :]:
                self._objects.setdefault(int(number), _unnamed(int(number), one=False))
        return ReadMask(ids, etag_of(ids), path == self._layout.correction(self._video, frame))

    def save(self, frame: str, ids: LabelArray, began_from: str) -> str:
        """Write a correction.

        Args:
            frame: name of the frame.
            ids: object ids, uint16 (H, W), 0 = nothing.
            began_from: the etag of the mask that was corrected.

        Returns:
            The new etag.

        Raises:
            MaskConflictError: another mask lies there now.
            DataError: the size or an id is wrong.
            DeviceError: it cannot be written.
        """
        if ids.shape != self._size:
            raise _wrong_size(self._layout.correction(self._video, frame), self._size, ids)
        known = {info.id for info in self.objects}
        unknown = sorted(set(np.unique(ids).tolist()) - known - {0})
        if unknown:
            raise DataError(
                f"frame {frame}: expected the ids {_listed(sorted(known))}, found {_listed(unknown)}",
                "add an object first",
            )
        path, etag = self._layout.correction(self._video, frame), etag_of(ids)
        _refuse_links(path)
        with self._shared.changing():
            there = self.read(frame)
            if there.corrected and there.etag == etag:
                return etag  # sent again, as the answer did not come
            if there.etag != began_from:
                raise MaskConflictError(there.etag)
            write_bytes_atomically(path, self._encoding.encode(self._with_void(frame, ids)))
        return etag

    def take_back(self, frame: str, began_from: str) -> ReadMask:
        """Delete a correction, also one that cannot be used; what lies there then.

        Where there is none, it was taken back before.

        Raises:
            MaskConflictError: another mask lies there now.
            DeviceError: it cannot be deleted.
        """
        path = self._layout.correction(self._video, frame)
        _refuse_links(path)
        with self._shared.changing():
            try:
                there = self.read(frame)
                corrected, etag = there.corrected, there.etag
            except UnusableCorrectionError as error:
                corrected, etag = True, error.etag
            if corrected and etag != began_from:
                raise MaskConflictError(etag)
            if corrected:
                with disk_errors(path):
                    path.unlink(missing_ok=True)
        return self.read(frame)

    def _with_void(self, frame: str, ids: LabelArray) -> LabelArray:
        """Ids with the void of the mask that lies there, which the page does not show, where nothing is."""
        path = self._path(frame)
        if self._encoding.meaning.void is None or not path.is_file():
            return ids
        _, void = self._encoding.read(read_raw_mask(path))
        return (
            ids if void is None else np.where(void & (ids == 0), np.uint16(self._encoding.meaning.void), ids)
        )

    def _path(self, frame: str) -> Path:
        """The correction of a frame, or what the run wrote, there or not."""
        correction = self._layout.correction(self._video, frame)
        return correction if correction.is_file() else self._layout.masks(self._video, frame)

    def _detect(self, rows: Sequence[FrameRecord], void: str) -> tuple[MaskEncoding, tuple[int, ...]]:
        given = [row.frame for row in rows if row.status is FrameStatus.GIVEN]
        made = [row.frame for row in rows if row.status is FrameStatus.GENERATED]
        files = [
            path
            for frame in (*_spread(given), *_spread(made)[:2])
            if (path := self._layout.masks(self._video, frame)).is_file()
        ]
        if not given or not files:  # of predict; all empty ones would say little about how they are stored
            return _PREDICTED, (1,)
        # Corrections that were not drawn here may be stored in another way.
        corrections = [self._layout.correction(self._video, row.frame) for row in rows]
        corrected = [path for path in corrections if path.is_file()]
        with ThreadPoolExecutor(4, "masks") as pool:
            own = list(pool.map(lambda path: summarise(path, read_raw_mask(path)), files))
            others = [each for each in pool.map(_summary, corrected) if each is not None]
        fitting = detect_with_corrections(own, others, void)
        self._misfits = {path: (_stamp(path), error) for path, error in fitting.misfits.items()}
        return fitting.encoding, fitting.ids

    def _next_id(self) -> tuple[int, str]:
        with self._lock:
            number = max(self._objects, default=0) + 1
        encoding = self._encoding
        meaning = encoding.meaning
        if not encoding.holds_ids or meaning.colours:
            return 0, f"the masks are stored as {encoding.title}, which has no room for another object"
        if number > (65535 if meaning.container == "grey16" else VOID - 1):
            return 0, "the masks have no id left for another object"
        if meaning.palette is not None and 3 * number + 3 > len(meaning.palette.colours):
            return 0, f"the palette of the masks has no colour for object {number}"
        return number, ""


def etag_of(ids: LabelArray) -> str:
    """SHA-256 of ids, whatever file they lie in."""
    return hashlib.sha256(ids.astype("<u2").tobytes()).hexdigest()


def _etag_of_file(path: Path) -> str:
    """SHA-256 of what lies there, "" where there is no file that can be read."""
    try:
        return hashlib.sha256(read_regular(path)).hexdigest()
    except OSError:
        return ""


def _stamp(path: Path) -> object:
    """What is another when a file was replaced; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _refuse_links(path: Path) -> None:
    """Refuse to write or delete where a link would lead elsewhere."""
    for folder in (path.parent, path.parent.parent):
        if folder.is_symlink():
            raise DataError(
                f"{folder}: expected a folder of the tool's own, found a link to {folder.readlink()}",
                "remove the link",
            )


def _summary(path: Path) -> MaskSummary | None:
    """Of a correction; None of one that cannot be read, which its frame tells."""
    try:
        return summarise(path, read_raw_mask(path))
    except DataError:
        return None


def _spread(frames: Sequence[str]) -> Sequence[str]:
    """At most `_LOOKED_AT` of the frames, evenly."""
    return frames[:: max(1, -(-len(frames) // _LOOKED_AT))]


def _unnamed(number: int, *, one: bool) -> ObjectInfo:
    name = unnamed(number, alone=one)
    return ObjectInfo(number, name, name)


def _listed(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids[:5])) + (", ..." if len(ids) > 5 else "")


def _wrong_size(path: Path, size: Size, found: LabelArray) -> DataError:
    sides = f"{found.shape[1]}x{found.shape[0]}" if found.ndim == 2 else f"{found.size} pixels"
    return DataError(
        f"{path}: expected a mask of {size[1]}x{size[0]} like its frame, found {sides}", "replace the file"
    )
