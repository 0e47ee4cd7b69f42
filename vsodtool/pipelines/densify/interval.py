"""One interval between neighbouring labels: its frames and its two labels, streamed from a video."""

from __future__ import annotations

import threading
import weakref
from bisect import bisect
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from vsodtool.errors import DataError
from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.spill import FrameSpill
from vsodtool.media.video.frame_store import FrameStore
from vsodtool.media.video.frames import FrameSource
from vsodtool.ops.boxes import Box, bounding_boxes
from vsodtool.ops.labels.object_frame import ObjectFrame, object_frame
from vsodtool.ops.labels.specks import small_parts
from vsodtool.ops.labels.thin import thin_share
from vsodtool.ops.shots.shots import ONE_SHOT, Shots
from vsodtool.types import Frame, ImageArray, LabelArray, Size

Result = TypeVar("Result")

_OBJECT = 0.5  # of a pixel that is an object's
_PART = 0.25  # of a pixel that is the object's as its parts are told: of 0 lines are too wide, of 1/2 broken
_SMALLEST = 1 / 8  # of the largest group that is handed out


@dataclass(frozen=True)
class LabelledFrame:
    """A frame that the user masked.

    Attributes:
        index: of the frame in its video.
        name: of the frame.
        rgb: uint8 (H, W, 3).
        labels: one channel per object of the video (1, O, H, W), 0 or 1; of a reduced frame shares of pixels.
    """

    index: int
    name: str
    rgb: ImageArray
    labels: Tensor

    @cached_property
    def areas(self) -> list[int]:
        """Pixels of each object."""
        return self.labels.sum(dim=(0, 2, 3)).int().tolist()

    @cached_property
    def boxes(self) -> list[Box | None]:
        """Around each object; None where it is not."""
        return bounding_boxes(self.labels[0] > _OBJECT)

    @cached_property
    def object_frames(self) -> list[ObjectFrame | None]:
        """Of each object its frame of reference; None where it is not."""
        return [object_frame(label, (0, 0)) for label in self.labels[0]]

    @cached_property
    def small_parts(self) -> list[list[float]]:
        """Of each object, see `ops.specks`."""
        return [small_parts(mask > _PART) for mask in self.labels[0]]

    @cached_property
    def thin_shares(self) -> list[float]:
        """Of each object, see `ops.labels.thin`."""
        return [thin_share(mask > _PART) for mask in self.labels[0]]


class Frames(Protocol):
    """The frames of an interval, see `FrameStore`."""

    @property
    def is_long(self) -> bool:
        """Whether they are too many to be held in memory."""
        ...

    def get(self, index: int) -> ImageArray:
        """A frame, uint8 (H, W, 3)."""
        ...

    def spill(self) -> FrameSpill:
        """A new place to put arrays aside."""
        ...

    def close(self) -> None:
        """Forget them."""
        ...


@dataclass(frozen=True)
class Interval:
    """Frames to fill and what is known beside them.

    Attributes:
        left: the labelled frame before the targets, None before the first label of a shot.
        right: the labelled frame after them, None after the last label of a shot; of a shot without labels
            both are None, and nothing is known.
        targets: indices of the frames to fill, ascending; frames that did not decode are not among them.
        frames: holds the targets and what lies between them.
        passed: indices of frames between the labels that are on the way to the targets and not filled.
        channels: of the objects of its labels in those of the video, where they are some of them only.
    """

    left: LabelledFrame | None
    right: LabelledFrame | None
    targets: list[int]
    frames: Frames
    passed: Sequence[int] = ()
    channels: Sequence[int] | None = None

    @property
    def labelled(self) -> list[LabelledFrame]:
        """The labelled frames beside the targets, one or two, in order."""
        return [known for known in (self.left, self.right) if known is not None]

    @property
    def known(self) -> LabelledFrame:
        """One of the labelled frames."""
        return self.labelled[0]

    @property
    def size(self) -> Size:
        """(H, W) of every frame."""
        rgb = self.known.rgb if self.labelled else self.frames.get(self.targets[0])
        return rgb.shape[0], rgb.shape[1]

    @cached_property
    def sequence(self) -> list[int]:
        """Indices of all frames, the labelled ones included."""
        before = [self.left.index] if self.left else []
        after = [self.right.index] if self.right else []
        return [*before, *sorted([*self.targets, *self.passed]), *after]

    @cached_property
    def present(self) -> list[bool]:
        """For each object whether one of the labels shows it."""
        shown = [known.labels.amax(dim=(0, 2, 3)) > 0 for known in self.labelled]
        return torch.stack(shown).any(dim=0).tolist()

    @cached_property
    def shown_twice(self) -> dict[int, int]:
        """Objects that both labels show -> pixels of the smaller one; none where there is one label only."""
        if len(self.labelled) < 2:
            return {}
        smaller = [min(areas) for areas in zip(*(known.areas for known in self.labelled), strict=True)]
        return {number: area for number, area in enumerate(smaller) if area}

    def rgb(self, index: int) -> ImageArray:
        """Any frame of the sequence, uint8 (H, W, 3)."""
        for known in self.labelled:
            if known.index == index:
                return known.rgb
        return self.frames.get(index)

    def image(self, index: int, box: Box) -> Tensor:
        """A box of a frame of the sequence, float32 (1, 3, h, w) in [0, 1], where the labels are."""
        return to_image(self.rgb(index), box, self.known.labels.device)

    @property
    def objects(self) -> Sequence[int]:
        """The channel of each of its objects in the labels of the video."""
        return range(self.known.labels.shape[1]) if self.channels is None else self.channels

    def only(self, objects: Sequence[int]) -> Interval:
        """The interval with some of its objects, by channel; itself with all of them."""
        if len(objects) == self.known.labels.shape[1]:
            return self
        left, right = (
            known and replace(known, labels=known.labels[:, list(objects)])
            for known in (self.left, self.right)
        )
        return replace(self, left=left, right=right, channels=[self.objects[each] for each in objects])

    def on(self, device: torch.device) -> Interval:
        """The interval with its labels on a device: where all that is made of them stays."""
        if self.known.labels.device == device:
            return self
        left, right = (
            known and replace(known, labels=known.labels.to(device)) for known in (self.left, self.right)
        )
        return replace(self, left=left, right=right)


class OfLatest(Generic[Result]):
    """What was computed of the latest labelled frames, or their pictures: the same for all between them."""

    def __init__(self, remembered: int = 8) -> None:
        """Nothing is known.

        Args:
            remembered: frames; of each all is kept, for n objects n times as much as for one.
        """
        self._remembered = remembered
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, tuple[object, dict[Hashable, Result]]] = OrderedDict()

    def get(self, known: object, key: Hashable, compute: Callable[[], Result]) -> Result:
        """What was computed of this very thing under a key, or now is; from several threads at once."""
        with self._lock:  # also while computing: the others want the same
            # The thing is kept beside it, so its id stays its own.
            _, results = self._kept.setdefault(id(known), (known, {}))
            self._kept.move_to_end(id(known))
            while len(self._kept) > self._remembered:
                self._kept.popitem(last=False)
            if key not in results:
                results[key] = compute()
            return results[key]


class OfLiving(Generic[Result]):
    """What was computed of things, for as long as these live."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[object, dict[Hashable, Result]]] = {}

    def get(self, thing: object, key: Hashable, compute: Callable[[], Result]) -> Result:
        """What was computed of this very thing under a key, or now is; from several threads at once."""
        place, kept = id(thing), self._kept
        with self._lock:  # also while computing: the others want the same
            if place not in self._kept:
                # Whoever dies may do so in any thread, so no lock: its place is its own until then.
                self._kept[place] = weakref.ref(thing, lambda _: kept.pop(place)), {}
            results = self._kept[place][1]
            if key not in results:
                results[key] = compute()
            return results[key]


def to_image(rgb: ImageArray, box: Box, device: torch.device) -> Tensor:
    """A box of an RGB uint8 (H, W, 3) as float32 (1, 3, h, w) in [0, 1]."""
    crop = torch.from_numpy(rgb[box.top : box.bottom, box.left : box.right])
    return crop.permute(2, 0, 1).contiguous()[None].to(device).float().div_(255)


def to_channels(labels: LabelArray, object_ids: Iterable[int]) -> Tensor:
    """Object ids (H, W) -> one channel per object (1, O, H, W), float32, 0 or 1."""
    ids = torch.tensor(list(object_ids), dtype=torch.int32).view(-1, 1, 1)
    return (torch.from_numpy(labels.astype("int32")) == ids)[None].float()


@dataclass
class Reading:
    """An interval of which some frames have come by.

    Attributes:
        left: the labelled frame before them, None before the first label of a shot.
        frames: holds them.
        indices: of them, ascending.
    """

    left: LabelledFrame | None
    frames: FrameStore
    indices: list[int] = field(default_factory=list)

    def add(self, frame: Frame) -> None:
        """The next frame."""
        self.indices.append(frame.index)
        self.frames.put(frame)

    def end(self, right: LabelledFrame | None, targets: Collection[int]) -> Interval:
        """The interval with these of its frames to be filled, the others passed."""
        wanted = frozenset(targets)
        passed = [index for index in self.indices if index not in wanted]
        return Interval(
            self.left, right, [index for index in self.indices if index in wanted], self.frames, passed
        )


def stream_intervals(
    source: FrameSource,
    labelled: Collection[str],
    labels_of: Callable[[Frame], Tensor],
    targets_of: Callable[[list[int]], Collection[int]],
    spill_folder: Path,
    *,
    shots: Shots = ONE_SHOT,
    frames: Iterable[Frame] | None = None,
) -> Iterator[Interval]:
    """Decode a video once and yield its intervals that have something to fill.

    No interval goes across a cut. A labelled frame that does not decode cannot carry its label anywhere: the
    interval goes on past it.

    Args:
        source: the video.
        labelled: names of its labelled frames.
        labels_of: the label of one of these, see `LabelledFrame`.
        targets_of: those of the frames between two labels that are to be filled.
        spill_folder: where frames of long intervals are put aside; the receiver closes `interval.frames`.
        shots: of the video.
        frames: those of its frames that matter, in order; None: all.

    Raises:
        DataError: none of the labelled frames decodes, or something cannot be read.
    """
    reading = Reading(None, FrameStore(source, spill_folder))
    shot, any_label = 0, False

    def end(right: LabelledFrame | None) -> Iterator[Interval]:
        nonlocal reading
        done, reading = reading, Reading(right, FrameStore(source, spill_folder))
        targets = targets_of(done.indices)
        if targets:
            yield done.end(right, targets)
        else:
            done.frames.close()

    try:
        for frame in source if frames is None else frames:
            if shots.of(frame.index) != shot:
                shot = shots.of(frame.index)
                yield from end(None)
            if frame.name in labelled:
                any_label = True
                yield from end(LabelledFrame(frame.index, frame.name, frame.rgb, labels_of(frame)))
            else:
                reading.add(frame)
        if not any_label and frames is None:
            raise DataError(
                f"{source.video.path}: none of its {len(labelled)} labelled frames decodes",
                "check the video, or label other frames",
            )
        yield from end(None)
    finally:
        reading.frames.close()


@dataclass(frozen=True)
class SparseVideo:
    """A video with its sparse masks.

    Attributes:
        source: its frames.
        masks: of some of them.
        spill_folder: where frames of long intervals are put aside.
        shots: of the video.
    """

    source: FrameSource
    masks: MaskSet
    spill_folder: Path
    shots: Shots = ONE_SHOT

    def labels(self, frame: Frame) -> Tensor:
        """The label of a masked frame, see `LabelledFrame`."""
        return to_channels(self.masks.read(frame.name), self.masks.object_ids)

    def intervals(self, finished: Set[str], *, everything: bool = True) -> Iterator[Interval]:
        """The intervals with something to fill, see `stream_intervals`; each is made whole or not at all.

        Args:
            finished: names of frames that need no work.
            everything: decode all frames, once; else only those that the work needs.
        """
        done, lost = set(finished), set[int]()
        while True:
            needed = set(range(len(self.source.names))) if everything else self._needed(done, lost)
            if not needed:
                return
            seen = set[int]()
            for interval in self._stream(needed, done, seen):
                if not self._is_whole(interval, needed):  # a label that bounds it does not decode
                    interval.frames.close()
                    continue
                done.update(self.source.names[index] for index in interval.targets)
                yield interval
            missing = needed.intersection(self._labelled) - seen - lost
            if everything or not missing:
                return
            lost |= missing

    def groups(self, finished: Set[str], most: int) -> list[Sequence[str]]:
        """Frames that need work, in groups of whole intervals; nothing is decoded.

        Groups of the first half of the video become smaller towards its start. As workers take the largest
        ones first, small ones are left for the end, when others would wait for the last to be done; and
        those at the start cost least, as a video file is decoded from there.

        Args:
            finished: names of frames that need no work.
            most: frames of a group, of which one interval may have more.

        Returns:
            Names of frames, in order.
        """
        intervals = [[self.source.names[index] for index in interval] for interval in self._split()]
        needed = [names for names in intervals if any(name not in finished for name in names)]
        count = left = sum(map(len, needed))
        groups: list[list[str]] = []
        limit = 0.0
        for names in reversed(needed):
            if not groups or len(groups[-1]) + len(names) > limit:
                groups.append([])
                limit = most * min(1.0, max(_SMALLEST, 2 * left / count))
            groups[-1][:0] = names
            left -= len(names)
        return list(reversed(groups))

    def _split(self) -> Iterator[range]:
        """The frames between labels and cuts, shot by shot."""
        for shot in self.shots.split(len(self.source.names)):
            bounds = [index for index in self._labelled if index in shot]
            for first, last in pairwise((shot.start - 1, *bounds, shot.stop)):
                if last - first > 1:
                    yield range(first + 1, last)

    def _stream(self, needed: Set[int], done: Set[str], seen: set[int]) -> Iterator[Interval]:
        source, everything = self.source, len(needed) == len(self.source.names)

        def targets(between: list[int]) -> list[int]:
            # Its frames need each other.
            return [] if all(source.names[index] in done for index in between) else between

        def told() -> Iterator[Frame]:
            for frame in source if everything else source.select(needed):
                seen.add(frame.index)
                yield frame

        labelled = frozenset(self.masks.names)
        frames = None if everything else told()
        return stream_intervals(
            source, labelled, self.labels, targets, self.spill_folder, shots=self.shots, frames=frames
        )

    @cached_property
    def _labelled(self) -> list[int]:
        """Indices of the labelled frames, ascending."""
        names = frozenset(self.masks.names)
        return [index for index, name in enumerate(self.source.names) if name in names]

    def _needed(self, done: Set[str], lost: Set[int]) -> set[int]:
        """The frames of all intervals in which one is not done, labels included; lost labels bound none."""
        bounds = [index for index in self._labelled if index not in lost]
        needed = set[int]()
        for index, name in enumerate(self.source.names):
            if name not in done and index not in needed:
                at = bisect(bounds, index)
                shot = self._shot(index)
                first = max(bounds[at - 1] if at else 0, shot.start)
                last = min(bounds[at] if at < len(bounds) else shot[-1], shot[-1])
                needed.update(range(first, last + 1))
        return needed

    def _is_whole(self, interval: Interval, needed: Set[int]) -> bool:
        shot = self._shot(interval.sequence[0])
        first = interval.left.index if interval.left else shot.start
        last = interval.right.index if interval.right else shot[-1]
        return needed >= set(range(first, last + 1))

    def _shot(self, index: int) -> range:
        return self.shots.around(index, len(self.source.names))
