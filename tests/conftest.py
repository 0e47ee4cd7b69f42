"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import signal
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from torch import Tensor

Mount = Callable[[str], Path]
Shapes = dict[str, tuple[int, ...]]
# A busy machine is no failure: no test depends on time.
settings.register_profile("vsodtool", deadline=None)
settings.load_profile("vsodtool")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files marked `long` first."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the project; tests that need it skip where it does not exist."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the folder of real data at {SHARED}")
    return SHARED


@pytest.fixture
def mount_tmpfs(tmp_path: Path) -> Iterator[Mount]:
    """Mount a tmpfs with the given options; `remount` changes them. Skips where this user may not mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = False

    def mount(options: str) -> Path:
        nonlocal mounted
        if os.name != "posix" or not hasattr(os, "geteuid") or os.geteuid() != 0:
            pytest.skip("mounting a tmpfs needs root")
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"cannot mount a tmpfs here: {done.stderr.strip()}")
        mounted = True
        return folder

    yield mount
    if mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


@pytest.fixture(scope="session", autouse=True)
def hear_interrupts() -> None:
    """A shell starts background jobs deaf to Ctrl-C, children inherit that and could not be interrupted."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def published_shapes() -> Callable[[str], Shapes]:
    """Names and shapes in the authors' checkpoints, by kind (image, video, fgplg)."""
    return _published_shapes


@pytest.fixture(scope="session")
def published_weights() -> Callable[[str], dict[str, Tensor]]:
    """Checkpoints of the authors' names with the values that tests/data/golden.npz was made with."""
    return _published_weights


def _published_shapes(kind: str) -> Shapes:
    import torch
    from torchvision.models import resnet50

    with torch.device("meta"):
        classifier = resnet50()
    resnet = {
        f"backbone.resnet.{name}": tuple(value.shape) for name, value in classifier.state_dict().items()
    }
    if kind == "fgplg":
        resnet["backbone.resnet.conv1.weight"] = (64, 7, 7, 7)
    shapes = {**resnet, **_norm_convolution("backbone.aspp.imagepool.conv", 256, 2048, 1)}
    for branch, kernel in enumerate((1, 3, 3, 3)):
        shapes |= _norm_convolution(f"backbone.aspp.stages.c{branch}", 256, 2048, kernel)
    shapes |= _norm_convolution("backbone.aspp.fire.conv", 256, 1280, 3)
    for number, (skip, coarse) in enumerate(((1024, 256), (512, 128), (256, 128)), start=1):
        name = f"backbone.refinement{number}"
        convolutions = ((48, skip, 1), (48, 48, 3), (96, 48, 1))
        for place, (channels_out, channels_in, kernel) in enumerate(convolutions, start=1):
            shapes[f"{name}.skip.conv{place}.weight"] = (channels_out, channels_in, kernel, kernel)
            shapes |= _norm(f"{name}.skip.bn{place}", channels_out)
        shapes[f"{name}.skip.downsample.0.weight"] = (96, skip, 1, 1)
        shapes |= _norm(f"{name}.skip.downsample.1", 96)
        shapes |= _norm_convolution(f"{name}.refine", 128, coarse + 96, 3)
    shapes |= _norm_convolution("backbone.decoder.conv1", 256, 128, 3)
    shapes |= _convolution("backbone.decoder.conv2", 1, 256, 1, 1)
    if kind == "video":
        for way in ("forward", "backward"):
            for gate in ("reset", "update", "output"):
                shapes |= _convolution(f"convgru_{way}.{gate}_gate", 256, 512, 3, 3)
        shapes |= _convolution("bidirection_conv", 256, 512, 3, 3)
        for block in ("non_local_block", "non_local_block2"):
            for part in ("g", "theta", "phi"):
                shapes |= _convolution(f"{block}.{part}", 128, 256, 1, 1, 1)
            shapes |= _convolution(f"{block}.W", 256, 128, 1, 1, 1)
    return shapes


def _convolution(name: str, *shape: int) -> Shapes:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def _norm(name: str, channels: int) -> Shapes:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {**{f"{name}.{part}": (channels,) for part in parts}, f"{name}.num_batches_tracked": ()}


def _norm_convolution(name: str, channels_out: int, channels_in: int, kernel: int) -> Shapes:
    weight = {f"{name}.conv.weight": (channels_out, channels_in, kernel, kernel)}
    return {**weight, **_norm(f"{name}.bn", channels_out)}


def _published_weights(kind: str) -> dict[str, Tensor]:
    import torch

    salt = str(np.load(Path(__file__).parent / "data" / "golden.npz")["salt"])
    weights = {}
    for name, shape in _published_shapes(kind).items():
        if name.endswith("num_batches_tracked"):
            weights[name] = torch.zeros((), dtype=torch.int64)
            continue
        state = np.random.RandomState(zlib.crc32((salt + name).encode()))
        values = state.standard_normal(shape).astype(np.float32)
        if len(shape) >= 2:
            values *= np.float32(np.sqrt(1 / np.prod(shape[1:])))
        elif name.endswith("running_var"):
            values = np.exp(np.float32(0.1) * values)
        else:
            values *= np.float32(0.1)
            if not name.endswith((".bias", "running_mean")):
                values += np.float32(1)
        weights[name] = torch.from_numpy(values)
    return weights
