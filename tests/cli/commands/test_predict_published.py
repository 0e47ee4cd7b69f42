"""A full-size checkpoint with the authors' keys through the command line: the maps of the network itself."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from vsodtool.models.architecture import Architecture
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import create_network
from vsodtool.models.weights.published import is_ignored, renamed

Process = Callable[..., subprocess.CompletedProcess[str]]
SIZE = 448


@pytest.fixture(scope="module")
def material(
    tmp_path_factory: pytest.TempPathFactory, published_weights: Callable[[str], dict[str, Tensor]]
) -> tuple[Path, npt.NDArray[np.float32]]:
    """A folder with checkpoint and frames, and the probabilities (4, H, W) of the bare network.

    Two frames are noise and two a coarse texture: noise is the hardest for short number formats.
    """
    folder = tmp_path_factory.mktemp("published")
    weights = published_weights("video")
    torch.save(weights, folder / "video_best_model.pth")
    random = np.random.default_rng(4)
    frames = list(random.integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8))
    for _ in range(2):
        seeds = random.integers(0, 256, (7, 7, 3), dtype=np.uint8)
        frames.append(cv2.resize(seeds, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC).astype(np.uint8))
    (folder / "clip").mkdir()
    for index, frame in enumerate(frames):
        assert cv2.imwrite(str(folder / f"clip/{index:05d}.png"), np.ascontiguousarray(frame[..., ::-1]))
    with torch.device("meta"):
        network = create_network(Architecture(kind="video"))
    tensors = {renamed(name): tensor for name, tensor in weights.items() if not is_ignored(name)}
    network.load_state_dict(tensors, assign=True)
    images = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        logits = network.eval()(Preprocessing().normalise(images)[:, None])
    return folder, torch.sigmoid(logits)[:, 0, 0].numpy()


@pytest.mark.parametrize(("precision", "levels"), [("fp32", 1), ("auto", 2)])
def test_maps_are_those_of_the_network(
    process: Process,
    material: tuple[Path, npt.NDArray[np.float32]],
    precision: str,
    levels: int,
    tmp_path: Path,
) -> None:
    folder, expected = material
    command = [
        "predict",
        folder / "clip",
        "-o",
        tmp_path / "out",
        "--weights",
        folder / "video_best_model.pth",
    ]
    done = process(*command, "--precision", precision, "--quiet")
    assert done.returncode == 0, done.stderr
    for index, probabilities in enumerate(expected):
        found = cv2.imread(str(tmp_path / f"out/soft/clip/{index:05d}.png"), cv2.IMREAD_UNCHANGED)
        assert found.shape == (SIZE, SIZE)
        assert np.abs(found - 255.0 * probabilities).max() <= levels
