"""A name of the registry, or a file -> a network with its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeAlias, TypeVar, overload

import torch

from vsodtool.errors import WeightsError
from vsodtool.media.weights.files import WeightFile, read_weights
from vsodtool.models.architecture import FGPLG, FUSED, IMAGE, VIDEO
from vsodtool.models.evidence.architecture import DENSIFIER
from vsodtool.models.evidence.network import EvidenceNet
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.models.u2net.architecture import U2NET
from vsodtool.models.u2net.network import U2Net
from vsodtool.models.weights.entry import BUNDLED, WeightsRegistry
from vsodtool.models.weights.networks import AnyArchitecture, Network, create_network
from vsodtool.models.weights.registry import REGISTRY
from vsodtool.pipelines.networks.tensors import check_fit, interpret

_KINDS = {
    IMAGE: ("RCRNet (image: every frame by itself)", "`vsodtool predict --weights {}` uses it"),
    VIDEO: ("RCRNet+NER (video)", "`vsodtool predict --weights {}` uses it"),
    FUSED: (
        "RCRNet+NER with U²-Net beside it (fused)",
        "`vsodtool predict --weights {0}` uses it, "
        "`vsodtool train video --config train-video-looks --init {0}` goes on from it",
    ),
    U2NET: ("U²-Net (every frame by itself)", "`vsodtool predict --weights {}` uses it"),
    FGPLG: (
        "FGPLG (the generator of pseudo-labels)",
        "`vsodtool pseudolabel --method fgplg --weights {}` uses it",
    ),
    DENSIFIER: (
        "the learned densifier of vsodtool",
        "`vsodtool pseudolabel --method fgplg --weights {}` uses it",
    ),
}
_LIST = "`vsodtool weights list` shows what there is and where the authors' weights come from"

SaliencyKind: TypeAlias = Literal["image", "video", "fused", "u2net"]
N_co = TypeVar("N_co", bound=Network, covariant=True)


@dataclass(frozen=True)
class Loaded(Generic[N_co]):
    """A network with its weights.

    Attributes:
        network: in eval mode, on the CPU, float32.
        architecture: of the network.
        preprocessing: what its input goes through.
        name: of the registry, or the file's name.
        sha256: of the file.
        path: of the file.
        notices: what the user should know, one line each.
    """

    network: N_co
    architecture: AnyArchitecture
    preprocessing: Preprocessing
    name: str
    sha256: str
    path: Path
    notices: list[str]


LoadedNetwork: TypeAlias = Loaded[Network]


@overload
def load_network(
    name_or_file: str, kinds: tuple[Literal["densifier"]], *, registry: WeightsRegistry = ...
) -> Loaded[EvidenceNet]: ...
@overload
def load_network(
    name_or_file: str,
    kinds: tuple[SaliencyKind, *tuple[SaliencyKind, ...]],
    *,
    registry: WeightsRegistry = ...,
) -> Loaded[RcrNet | U2Net]: ...
@overload
def load_network(
    name_or_file: str, kinds: tuple[str, ...] = (), *, registry: WeightsRegistry = ...
) -> LoadedNetwork: ...
def load_network(
    name_or_file: str, kinds: tuple[str, ...] = (), *, registry: WeightsRegistry = REGISTRY
) -> LoadedNetwork:
    """Load the weights that a user named.

    Args:
        name_or_file: a name of the registry, else the path of a file of vsodtool or of the authors; "" = the
            registry's default for `kinds`.
        kinds: the kinds that will do, the preferred one first; empty = any.
        registry: where names are looked up.

    Raises:
        WeightsError: nothing of that name, not to be had here, damaged, unsafe, of another kind or
            architecture.
    """
    name, path, sha256 = find_weights(name_or_file, kinds, registry=registry)
    return network_of(read_weights(path, sha256=sha256), kinds, name=name)


def find_weights(
    name_or_file: str, kinds: tuple[str, ...] = (), *, registry: WeightsRegistry = REGISTRY
) -> tuple[str, Path, str]:
    """Name, path and expected SHA-256 ("" = any) of what `load_network` would read.

    Raises:
        WeightsError: there is nothing of that name, or it does not come with vsodtool.
    """
    entry = registry.find(name_or_file) if name_or_file else registry.default(kinds)
    if entry is None:
        if not name_or_file:
            wanted = " or ".join(_KINDS[kind][0] for kind in kinds)
            raise WeightsError(
                f"no weights of {wanted} come with this version", f"say --weights FILE; {_LIST}"
            )
        path = Path(name_or_file)
        if not _exists(path):
            raise WeightsError(f"there are no weights '{name_or_file}': no such name, no such file", _LIST)
        return path.name, path, ""
    if entry.origin != BUNDLED:
        raise WeightsError(f"the weights '{entry.name}' do not come with vsodtool", entry.obtain)
    if kinds and entry.kind not in kinds:
        raise _other_kind(entry.name, entry.kind, kinds)
    return entry.name, registry.path(entry), entry.sha256


def network_of(file: WeightFile, kinds: tuple[str, ...] = (), *, name: str = "") -> LoadedNetwork:
    """The network whose weights a file holds.

    Args:
        file: what was read.
        kinds: the kinds that will do; empty = any.
        name: what users call it; "" = the name of the file.

    Raises:
        WeightsError: it is of another kind or architecture.
    """
    found = interpret(file)
    if kinds and found.architecture.kind not in kinds:
        raise _other_kind(str(file.path), found.architecture.kind, kinds)
    with torch.device("meta"):  # shapes without memory; random values would only be thrown away
        network = create_network(found.architecture)
    check_fit(file, found, network.state_dict())
    tensors = {
        key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in found.tensors.items()
    }
    network.load_state_dict(tensors, assign=True)
    return LoadedNetwork(
        network.eval(),
        found.architecture,
        found.preprocessing,
        name or file.path.name,
        file.sha256,
        file.path,
        found.notices,
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long to be one
        return False


def _other_kind(what: str, kind: str, kinds: tuple[str, ...]) -> WeightsError:
    is_, use = _KINDS[kind]
    wanted = " or ".join(_KINDS[kind][0] for kind in kinds)
    return WeightsError(f"{what} is {is_}, expected {wanted}", use.format(what))
