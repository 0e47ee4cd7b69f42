"""The authors' checkpoints, generated: their keys and shapes, with the weights behind golden.npz."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vsodtool.models.architecture import Architecture
from vsodtool.models.networks import create_network
from vsodtool.models.published import is_ignored, renamed
from vsodtool.models.rcrnet import RcrNet

Checkpoint = Callable[[str], dict[str, Tensor]]
Network = Callable[[str], RcrNet]

# What the authors call the parts; the longest of several that fit goes first.
_THEIRS = (
    ("ner.forward_gru.", "convgru_forward."),
    ("ner.backward_gru.", "convgru_backward."),
    ("ner.join.", "bidirection_conv."),
    ("ner.before.", "non_local_block."),
    ("ner.after.", "non_local_block2."),
    ("aspp.pool.", "backbone.aspp.imagepool.conv."),
    ("aspp.branches.", "backbone.aspp.stages.c"),
    ("aspp.project.", "backbone.aspp.fire.conv."),
    ("decoder.hidden.", "backbone.decoder.conv1."),
    ("decoder.logit.", "backbone.decoder.conv2."),
    *((f"skips.{level}.", f"backbone.refinement{level + 1}.skip.") for level in range(3)),
    *((f"refinements.{level}.", f"backbone.refinement{level + 1}.refine.") for level in range(3)),
    ("backbone.", "backbone.resnet."),
)


@pytest.fixture(scope="session")
def golden() -> dict[str, Tensor]:
    """The arrays of tests/data/golden.npz."""
    arrays = np.load(Path(__file__).parents[1] / "data/golden.npz")
    return {name: torch.from_numpy(arrays[name]) for name in arrays.files if name != "salt"}


@pytest.fixture(scope="session")
def published_checkpoint() -> Checkpoint:
    """All tensors of a checkpoint of the authors ("image", "video", "fgplg") by their names."""
    salt = str(np.load(Path(__file__).parents[1] / "data/golden.npz")["salt"])

    def make(kind: str) -> dict[str, Tensor]:
        with torch.device("meta"):
            shapes = {
                _their_name(name): tuple(tensor.shape)
                for name, tensor in create_network(Architecture(kind=kind)).state_dict().items()
            }
        shapes |= {"backbone.resnet.fc.weight": (1000, 2048), "backbone.resnet.fc.bias": (1000,)}
        return {name: generated(name, shape, salt) for name, shape in shapes.items()}

    return make


@pytest.fixture(scope="session")
def published_network(published_checkpoint: Checkpoint) -> Network:
    """A network of the authors with the generated weights, in eval mode; a new one at each call."""
    made: dict[str, dict[str, Tensor]] = {}

    def make(kind: str) -> RcrNet:
        if kind not in made:
            made[kind] = {
                renamed(name): tensor
                for name, tensor in published_checkpoint(kind).items()
                if not is_ignored(name)
            }
        with torch.device("meta"):
            network = create_network(Architecture(kind=kind))
        network.load_state_dict({name: tensor.clone() for name, tensor in made[kind].items()}, assign=True)
        return network.eval()

    return make


def generated(key: str, shape: tuple[int, ...], salt: str) -> Tensor:
    """A weight as tests/data/README.md says."""
    if key.endswith(".num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    random = np.random.RandomState(zlib.crc32((salt + key).encode()))
    values = np.asarray(random.standard_normal(shape), np.float32)
    if len(shape) >= 2:
        values = values * np.float32(np.sqrt(1 / np.prod(shape[1:])))
    elif key.endswith(".running_var"):
        values = np.exp(np.float32(0.1) * values)
    elif key.endswith((".running_mean", ".bias")):
        values = values * np.float32(0.1)
    else:
        values = 1 + np.float32(0.1) * values
    return torch.from_numpy(np.asarray(values, np.float32))


def _their_name(name: str) -> str:
    for ours, theirs in _THEIRS:
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    raise AssertionError(f"{name} is no part of a published network")
