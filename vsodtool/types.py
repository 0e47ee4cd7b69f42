"""The nouns that all layers share: frames, masks, labels, events, and the protocols of pluggable parts.

Conventions (design contract, section 5): sizes are (H, W); images are RGB uint8 (H, W, 3) at the disk edge
and float32 (B, 3, H, W) in [0, 1] inside; a flow `a_to_b` is float32 (B, 2, H, W) in pixels, channel 0 right,
channel 1 down, with b(x + a_to_b(x)) = a(x). A frame is identified by its name, never by its position.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

ImageArray: TypeAlias = npt.NDArray[np.uint8]  # RGB, (H, W, 3)
LabelArray: TypeAlias = npt.NDArray[np.uint16]  # object ids, (H, W), 0 = nothing salient
Size: TypeAlias = tuple[int, int]  # (H, W)


@dataclass(frozen=True)
class Frame:
    """One decoded frame.

    Attributes:
        index: position in decoding order, from 0; counts frames that could not be decoded.
        name: identity of the frame; file stem, or zero-padded index for video files.
        rgb: uint8 (H, W, 3), RGB.
    """

    index: int
    name: str
    rgb: ImageArray


class FrameStatus(StrEnum):
    """How a frame's mask came about (the `status` column of frames.csv)."""

    GIVEN = "given"
    GENERATED = "generated"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class FrameRecord:
    """One row of frames.csv.

    Attributes:
        video: name of the video.
        frame: name of the frame.
        status: given, generated or skipped (the frame did not decode).
        left: name of the labelled frame before it, "" if there is none.
        right: name of the labelled frame after it, "" if there is none.
        confidence: in [0, 1]; 1 for given frames, 0 for skipped ones.
        basis: digest of the labels that it was made from, "" if none is known; not a column of frames.csv.
        objects: of a generated frame of a video with several objects each id and its own confidence, a row of
            objects.csv; () of others.
    """

    video: str
    frame: str
    status: FrameStatus
    left: str
    right: str
    confidence: float
    basis: str = ""
    objects: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class MethodChoice:
    """Which densification method a video gets, and why.

    Attributes:
        method: its name.
        hidden: names of the labelled frames that were hidden and made again by each candidate, in order;
            empty where nothing was tried.
        hidden_j: for each candidate the mean J that it reached on them, in [0, 1]; empty where nothing was.
        reason: one sentence for people.
        objects: id of each object -> its method; empty where all have the same.
        objects_j: id of each of several objects -> for each candidate the mean J of this object; empty where
            nothing was tried.
    """

    method: str
    hidden: list[str]
    hidden_j: dict[str, float]
    reason: str
    objects: dict[str, str] = field(default_factory=dict)
    objects_j: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def methods(self) -> set[str]:
        """All that are used."""
        return set(self.objects.values()) or {self.method}

    def of(self, object_id: int) -> str:
        """The method of an object."""
        return self.objects.get(str(object_id), self.method)


@runtime_checkable
class FlowEstimator(Protocol):
    """Optical flow between image pairs: the one method that a backend implements.

    Padding, normalisation and precision are the estimator's own business and are undone inside.
    """

    @property
    def name(self) -> str:
        """Backend name with its settings, as written into manifests."""
        ...

    def estimate(self, image_a: Tensor, image_b: Tensor, *, initial: Tensor | None = None) -> Tensor:
        """Flow from a to b.

        Convention: images float32 (B, 3, H, W) RGB in [0, 1]; returns `flow_a_to_b`, float32 (B, 2, H, W) in
        pixels, b(x + flow(x)) = a(x). `initial` is a guess of the same shape that an estimator may use or
        ignore.
        Must be callable from several threads at once.
        """
        ...


@dataclass(frozen=True)
class Event:
    """Something a pipeline wants shown: progress, a notice or a warning.

    Attributes:
        kind: "video" (a video starts; `total` frames), "frame" (`done` of `total` finished), "done" (a video
            ends), "notice" (worth a line), "warning" (something was lost or replaced), "address" (of a page
            to open).
        video: the video it belongs to, "" if none.
        message: one line of text; of "video" and "frame" the stage that the work is in, mostly empty.
        done: frames finished so far in this video.
        total: frames in this video, 0 if unknown.
        share: what is done of the work on this video, in [0, 1]; None where done / total say it.
    """

    kind: str
    video: str = ""
    message: str = ""
    done: int = 0
    total: int = 0
    share: float | None = None


OnEvent: TypeAlias = Callable[[Event], None]


def ignore_event(event: Event) -> None:
    """The default listener: nobody listens."""
    del event
