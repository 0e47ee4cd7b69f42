"""An architecture -> its network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, overload

from vsodtool.models.architecture import FGPLG, IMAGE, VIDEO, Architecture
from vsodtool.models.evidence.architecture import DENSIFIER, EvidenceArchitecture
from vsodtool.models.evidence.network import EvidenceNet
from vsodtool.models.paper.network import Fgplg
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.models.rcrnet.video import VideoRcrNet

Network: TypeAlias = RcrNet | EvidenceNet
AnyArchitecture: TypeAlias = Architecture | EvidenceArchitecture

_CLASSES: dict[str, type[RcrNet]] = {IMAGE: RcrNet, VIDEO: VideoRcrNet, FGPLG: Fgplg}


@overload
def create_network(architecture: Architecture) -> RcrNet: ...
@overload
def create_network(architecture: EvidenceArchitecture) -> EvidenceNet: ...
def create_network(architecture: AnyArchitecture) -> Network:
    """A network with random weights, in training mode, on the CPU."""
    if isinstance(architecture, EvidenceArchitecture):
        return EvidenceNet(architecture)
    return _CLASSES[architecture.kind](architecture)


def read_architecture(values: Mapping[str, Any]) -> AnyArchitecture:
    """What `as_dict` of an architecture gave.

    Raises:
        ConfigError: a value is unknown, or not one that can be built.
    """
    if isinstance(values, Mapping) and values.get("kind") == DENSIFIER:
        return EvidenceArchitecture.from_dict(values)
    return Architecture.from_dict(values)
