"""An architecture -> its network."""

from __future__ import annotations

from vsodtool.models.architecture import FGPLG, IMAGE, VIDEO, Architecture
from vsodtool.models.fgplg import Fgplg
from vsodtool.models.rcrnet import RcrNet
from vsodtool.models.video_rcrnet import VideoRcrNet

_CLASSES: dict[str, type[RcrNet]] = {IMAGE: RcrNet, VIDEO: VideoRcrNet, FGPLG: Fgplg}


def create_network(architecture: Architecture) -> RcrNet:
    """A network with random weights, in training mode, on the CPU."""
    return _CLASSES[architecture.kind](architecture)
