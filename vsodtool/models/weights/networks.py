"""Kinds of networks: the architecture that describes each, and the class that is built from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, overload

from vsodtool.errors import ConfigError
from vsodtool.models.architecture import FGPLG, IMAGE, VIDEO, Architecture
from vsodtool.models.evidence.architecture import DENSIFIER, EvidenceArchitecture
from vsodtool.models.evidence.network import EvidenceNet
from vsodtool.models.paper.network import Fgplg
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.models.rcrnet.video import VideoRcrNet

Network: TypeAlias = RcrNet | EvidenceNet
AnyArchitecture: TypeAlias = Architecture | EvidenceArchitecture

_NETWORKS: dict[str, tuple[type[AnyArchitecture], type[Network]]] = {
    IMAGE: (Architecture, RcrNet),
    VIDEO: (Architecture, VideoRcrNet),
    FGPLG: (Architecture, Fgplg),
    DENSIFIER: (EvidenceArchitecture, EvidenceNet),
}


@overload
def create_network(architecture: Architecture) -> RcrNet: ...
@overload
def create_network(architecture: EvidenceArchitecture) -> EvidenceNet: ...
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
