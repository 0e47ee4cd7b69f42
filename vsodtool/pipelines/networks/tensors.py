"""The tensors of a weight file -> an architecture, and tensors that fit it exactly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vsodtool.errors import ConfigError, WeightsError
from vsodtool.media.weights.files import WeightFile
from vsodtool.models.architecture import CHANNELS_IN, IMAGE, Architecture
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import AnyArchitecture, read_architecture
from vsodtool.models.weights.published import is_ignored, is_published, published_kind, renamed

if TYPE_CHECKING:
    from torch import Tensor

_FIRST_CONVOLUTION = "backbone.resnet.conv1.weight"
_OWN_NAMES = ("backbone.", "aspp.")
_PARALLEL = "module."  # DataParallel puts it before every name


@dataclass(frozen=True)
class NetworkTensors:
    """What a weight file says of a network.

    Attributes:
        architecture: of the network.
        preprocessing: what its input goes through.
        tensors: under the names of the networks here; not compared with the architecture yet.
        published: name here -> name in the file, where they differ.
        strangers: names in a file of the authors that stand for nothing here.
        notices: what was left out.
    """

    architecture: AnyArchitecture
    preprocessing: Preprocessing
    tensors: dict[str, Tensor]
    published: dict[str, str] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def interpret(file: WeightFile) -> NetworkTensors:
    """Recognise a file of vsodtool or a checkpoint of the authors.

    Raises:
        WeightsError: it is neither, or its description cannot be understood.
    """
    if "architecture" in file.metadata:
        return _own(file)
    tensors = file.tensors
    if all(name.startswith(_PARALLEL) for name in tensors):
        tensors = {name.removeprefix(_PARALLEL): tensor for name, tensor in tensors.items()}
    if is_published(tensors):
        return _published(file, tensors)
    if all(any(name.startswith(begin) for name in tensors) for begin in _OWN_NAMES):
        raise WeightsError(
            f"{file.path} holds tensors of a vsodtool network, but does not say of which architecture",
            "use the safetensors file that `vsodtool train` or `vsodtool weights convert` wrote",
        )
    raise WeightsError(
        f"{file.path} is of another architecture: expected RCRNet, RCRNet+NER or FGPLG, found "
        f"{_some(sorted(tensors))}",
        "`vsodtool weights list` shows what can be used and where it comes from",
    )


def check_fit(file: WeightFile, found: NetworkTensors, expected: Mapping[str, Tensor]) -> None:
    """Require exactly the expected names and shapes.

    Args:
        file: named in the error.
        found: what is there.
        expected: names and shapes of the network; values are not looked at.

    Raises:
        WeightsError: how many are missing, unexpected or of another shape, and the first three of each.
    """
    tensors = found.tensors
    missing = [name for name in expected if name not in tensors]
    unexpected = [found.published.get(name, name) for name in tensors if name not in expected]
    unexpected += found.strangers
    misshapen = [
        f"{name}: expected {tuple(expected[name].shape)}, found {tuple(tensor.shape)}"
        for name, tensor in tensors.items()
        if name in expected and tensor.shape != expected[name].shape
    ]
    kinds = (("missing", missing), ("unexpected", unexpected), ("of another shape", misshapen))
    problems = [f"{len(names)} {what} ({_some(names)})" for what, names in kinds if names]
    if problems:
        raise WeightsError(
            f"{file.path} does not fit its architecture, of {len(expected)} tensors: {'; '.join(problems)}",
            "use a complete checkpoint of RCRNet, RCRNet+NER or FGPLG",
        )


def _own(file: WeightFile) -> NetworkTensors:
    readers = {"architecture": read_architecture, "preprocessing": Preprocessing.from_dict}
    parts: dict[str, Any] = {}
    for name, read in readers.items():
        try:
            parts[name] = read(json.loads(file.metadata.get(name, "{}")))
        except (ConfigError, ValueError, TypeError, AttributeError, RecursionError) as error:
            reason, version = str(error)[:200], file.metadata.get("vsodtool", "unknown")[:40]
            raise WeightsError(
                f"{file.path}: its {name} cannot be understood: {reason} (written by vsodtool {version})",
                "use the version of vsodtool that wrote it, or a newer one",
            ) from error
    return NetworkTensors(parts["architecture"], parts["preprocessing"], dict(file.tensors))


def _published(file: WeightFile, tensors: Mapping[str, Tensor]) -> NetworkTensors:
    first = tensors.get(_FIRST_CONVOLUTION)
    channels = CHANNELS_IN[IMAGE] if first is None or first.ndim != 4 else first.shape[1]
    targets = {name: renamed(name) for name in tensors if not is_ignored(name)}
    known = {name: target for name, target in targets.items() if target != name}
    foreign = sum(name.startswith("flownet.") for name in tensors)
    notices = [f"{file.path.name}: FlowNet2 inside it is ignored ({foreign} x flownet.*)"] if foreign else []
    # The paper's: no other was published. Whatever does not fit it is refused.
    architecture = Architecture(kind=published_kind(tensors, channels))
    return NetworkTensors(
        architecture,
        Preprocessing(),
        {target: tensors[name] for name, target in known.items()},
        published={target: name for name, target in known.items()},
        strangers=[name for name in targets if name not in known],
        notices=notices,
    )


def _some(names: list[str]) -> str:
    return ", ".join(name[:120] for name in names[:3]) + (", ..." if len(names) > 3 else "")
