"""Kinds of networks: the architecture that describes each, and the class that is built from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, overload

from vsodtool.errors import ConfigError
from vsodtool.models.architecture import FGPLG, FUSED, IMAGE, VIDEO, Architecture
from vsodtool.models.evidence.architecture import DENSIFIER, EvidenceArchitecture
from vsodtool.models.evidence.network import EvidenceNet
from vsodtool.models.fused.architecture import FusedArchitecture
from vsodtool.models.fused.network import FusedNet
from vsodtool.models.paper.network import Fgplg
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.models.rcrnet.video import VideoRcrNet
from vsodtool.models.u2net.architecture import U2NET, U2NetArchitecture
from vsodtool.models.u2net.network import U2Net

TrainedNetwork: TypeAlias = RcrNet | EvidenceNet  # what `train` makes
Network: TypeAlias = TrainedNetwork | U2Net
TrainedArchitecture: TypeAlias = Architecture | EvidenceArchitecture
AnyArchitecture: TypeAlias = TrainedArchitecture | U2NetArchitecture

_NETWORKS: dict[str, tuple[type[AnyArchitecture], type[Network]]] = {
    IMAGE: (Architecture, RcrNet),
    VIDEO: (Architecture, VideoRcrNet),
    FGPLG: (Architecture, Fgplg),
    DENSIFIER: (EvidenceArchitecture, EvidenceNet),
    U2NET: (U2NetArchitecture, U2Net),
    FUSED: (FusedArchitecture, FusedNet),
}


@overload
def create_network(architecture: Architecture) -> RcrNet: ...
@overload
def create_network(architecture: EvidenceArchitecture) -> EvidenceNet: ...
@overload
def create_network(architecture: U2NetArchitecture) -> U2Net: ...
def create_network(architecture: Any) -> Network:
    """A network with random weights, in training mode, on the CPU."""
    return _NETWORKS[architecture.kind][1](architecture)


def architecture_class(kind: str) -> type[AnyArchitecture]:
    """What describes networks of a kind.

    Raises:
        ConfigError: there is no such kind.
    """
    if kind not in _NETWORKS:
        raise ConfigError(f"architecture: kind: expected one of {', '.join(_NETWORKS)}, found {kind[:80]!r}")
    return _NETWORKS[kind][0]


def read_architecture(values: Mapping[str, Any]) -> AnyArchitecture:
    """What `as_dict` of an architecture gave.

    Raises:
        ConfigError: a value is unknown, or not one that can be built.
    """
    kind = values.get("kind", VIDEO) if isinstance(values, Mapping) else VIDEO
    return architecture_class(str(kind)).from_dict(values)
