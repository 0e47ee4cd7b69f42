"""A frame and its neighbours -> its motion maps."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vsodtool.ops.motion.layout import MAPS, looks
from vsodtool.ops.motion.maps import motion_maps, no_motion
from vsodtool.types import FlowEstimator

_NONE: Mapping[int, Tensor] = {}


def frame_motion(
    images: Mapping[int, Tensor],
    position: int,
    first: int,
    last: int,
    estimator: FlowEstimator,
    *,
    known: Mapping[int, Tensor] = _NONE,
) -> Tensor:
    """The motion maps of one frame; a function of its neighbours' pictures alone.

    Args:
        images: uint8 (3, S, S) as the network sees them, by position: all of `motion_layout.looks`.
        position: of the frame.
        first: position of the first frame of the video, or of what is known of it.
        last: position of the last one.
        estimator: of optical flow.
        known: what it says of the way from the frame to some of its neighbours (1, 2, S, S), by position.

    Returns:
        float16 (CHANNELS, S / 2, S / 2).
    """
    seen = looks(position, first, last)
    distinct = list(dict.fromkeys(look.neighbour for look in seen if look.neighbour is not None))
    if not distinct:
        return no_motion(images[position].shape[-1]).half()
    found = dict(known)
    unknown = [neighbour for neighbour in distinct if neighbour not in found]
    if unknown:
        frame = images[position][None].float() / 255
        others = torch.stack([images[neighbour] for neighbour in unknown]).float() / 255
        flows = estimator.estimate(frame.expand_as(others), others)
        found |= zip(unknown, torch.split(flows, 1), strict=True)
    flows = torch.cat([found[neighbour] for neighbour in distinct])
    maps = motion_maps(flows, [1 if neighbour > position else -1 for neighbour in distinct])
    groups = maps.view(len(distinct), MAPS, *maps.shape[-2:])
    order = [distinct.index(look.neighbour) for look in seen if look.neighbour is not None]
    return groups[order].flatten(0, 1).half()
