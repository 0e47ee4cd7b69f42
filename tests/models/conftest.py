"""The authors' networks with the weights behind golden.npz, and what they gave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vsodtool.models.architecture import Architecture
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.models.weights.networks import create_network
from vsodtool.models.weights.published import is_ignored, renamed


@pytest.fixture(scope="session")
def golden() -> dict[str, Tensor]:
    """The arrays of tests/data/golden.npz."""
    arrays = np.load(Path(__file__).parents[1] / "data/golden.npz")
    return {name: torch.from_numpy(arrays[name]) for name in arrays.files if name != "salt"}


@pytest.fixture(scope="session")
def published_network(published_weights: Callable[[str], dict[str, Tensor]]) -> Callable[[str], RcrNet]:
    """A network of the authors with the generated weights, in eval mode; a new one at each call."""
    made: dict[str, dict[str, Tensor]] = {}

    def make(kind: str) -> RcrNet:
        if kind not in made:
            made[kind] = {
                renamed(name): tensor
                for name, tensor in published_weights(kind).items()
                if not is_ignored(name)
            }
        with torch.device("meta"):
            network = create_network(Architecture(kind=kind))
        network.load_state_dict({name: tensor.clone() for name, tensor in made[kind].items()}, assign=True)
        return network.eval()

    return make
