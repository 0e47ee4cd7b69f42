"""The shots of the videos of a run: found once for each, then known to all runs that continue it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from vsodtool.config.cuts import AUTO, NONE
from vsodtool.media.video.cuts_file import read_cuts
from vsodtool.media.video.frames import FrameSource
from vsodtool.models.flow.dis import DisEstimator, DisSettings
from vsodtool.ops.shots.cuts import CutSearch, Differ, difference, thumbnail
from vsodtool.ops.shots.shots import ONE_SHOT, Shots
from vsodtool.pipelines.running.read_ahead import read_ahead
from vsodtool.pipelines.running.video_state import VideoState
from vsodtool.types import Event, OnEvent

_AHEAD = 8
_FLOW = DisSettings(0, 8, 4, 12, 0)  # of thumbnails; coarser, motion would explain less


@dataclass(frozen=True)
class Cuts:
    """What a run was told about shots.

    Attributes:
        listed: the shots of each video, where a file lists them; None where they are to be found.
    """

    listed: Mapping[str, Shots] | None = None

    @property
    def digest(self) -> str:
        """What must be the same for a run to be continued."""
        if self.listed is None:
            return AUTO
        content = {video: shots.cuts for video, shots in self.listed.items() if shots.cuts}
        if not content:
            return NONE
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def alone(self, video: str) -> Cuts:
        """What of this is about one video."""
        return self if self.listed is None else Cuts({video: self.listed.get(video, ONE_SHOT)})

    def known(self, video: str, state: VideoState | None = None) -> Shots | None:
        """The shots of a video, if nothing has to be decoded to know them."""
        if self.listed is not None:
            return self.listed.get(video, ONE_SHOT)
        found = None if state is None else state.cuts(video)
        return None if found is None else Shots(tuple(found))

    def of(self, source: FrameSource, state: VideoState, on_event: OnEvent) -> Shots:
        """The shots of a video; they are found by decoding it, unless this or an earlier run did.

        Raises:
            DataError: the video cannot be read.
            DeviceError: the journal cannot be written.
        """
        name = source.video.name
        shots = self.known(name, state)
        if shots is None:
            shots = find_shots(source)
        if state.cuts(name) != list(shots.cuts):
            state.settle_cuts(name, shots.cuts)
        if shots.cuts:
            firsts = [source.names[index] for index in shots.cuts]
            more = f" and {len(firsts) - 5} more" if len(firsts) > 5 else ""
            text = f"{name}: {len(shots.cuts) + 1} shots, cut at {', '.join(firsts[:5])}{more}"
            on_event(Event("notice", name, text))
        return shots


NO_CUTS: Cuts = Cuts({})


def resolve_cuts(text: str, sources: Sequence[FrameSource]) -> Cuts:
    """What `--cuts` means for these videos.

    Args:
        text: auto, none, or a file.
        sources: all videos of the run.

    Raises:
        DataError: the file cannot be read, or names what does not exist.
    """
    if text == AUTO:
        return Cuts(None)
    if text == NONE:
        return NO_CUTS
    names = {source.video.name: source.names for source in sources}
    return Cuts({video: Shots(cuts) for video, cuts in read_cuts(Path(text), names).items()})


def thumbnail_differ() -> Differ:
    """Compares two thumbnails by `difference`."""
    estimator = DisEstimator(_FLOW)

    def differ(first: Tensor, second: Tensor) -> float:
        flows = estimator.estimate(torch.cat((first, second)), torch.cat((second, first)))
        return float(difference(first, second, flows[:1], flows[1:]))

    return differ


@torch.inference_mode()
def find_shots(source: FrameSource) -> Shots:
    """Decode a video and find its cuts, see `ops.cuts`; frames that do not decode are passed over.

    Raises:
        DataError: the video cannot be read.
    """
    search, indices = CutSearch(thumbnail_differ()), []
    with read_ahead(source, _AHEAD) as frames:
        for frame in frames:
            indices.append(frame.index)
            search.add(thumbnail(frame.rgb))
    return Shots(tuple(indices[position] for position in search.end()))
