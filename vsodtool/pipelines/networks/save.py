"""A network -> a weight file that says what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from vsodtool import __version__
from vsodtool.media.weights.safetensors_files import write_weights
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import AnyArchitecture, Network


def save_network(
    path: Path,
    network: Network,
    preprocessing: Preprocessing,
    *,
    metadata: Mapping[str, str] | None = None,
    half: bool = False,
) -> None:
    """Write the file that `load_network` reads.

    Args:
        path: of the safetensors file.
        network: anywhere, in any mode.
        preprocessing: what its input goes through.
        metadata: more text for the file: its origin, its training.
        half: store the weights in 16 bits.

    Raises:
        WeightsError: a weight does not fit into 16 bits.
        DeviceError: the disk refuses.
    """
    text = {**(metadata or {}), **network_metadata(network.architecture, preprocessing)}
    write_weights(path, network.state_dict(), text, half=half)


def network_metadata(architecture: AnyArchitecture, preprocessing: Preprocessing) -> dict[str, str]:
    """What a weight file must say of its network; `format` is what other readers of safetensors expect."""
    return {
        "format": "pt",
        "vsodtool": __version__,
        "architecture": json.dumps(architecture.as_dict(), sort_keys=True),
        "preprocessing": json.dumps(preprocessing.as_dict(), sort_keys=True),
    }
