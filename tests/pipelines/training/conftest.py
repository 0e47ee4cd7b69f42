"""A data set of a few small pictures, and trainings on it that take seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vsodtool.config import TrainConfig

MakeConfig = Callable[..., TrainConfig]

# A network of a million parameters, six steps of two clips, everything switched on that could go wrong.
TINY: dict[str, object] = {
    "validation_share": 0.25,
    "augment": "strong",
    "clip_length": 2,
    "size": 64,
    "backbone": "mobilenet_v3_small",
    "context_width": 8,
    "skip_width": 8,
    "refine_width": 8,
    "decoder_width": 8,
    "init": "scratch",
    "batch_norm": "learned",
    "epochs": 2,
    "steps_per_epoch": 3,
    "batch_size": 2,
    "learning_rate": 1e-3,
    "schedule": "cosine",
    "warmup": 2,
    "clip_gradient": 1.0,
    "ema": 0.9,
    "sheet_rows": 2,
    "device": "cpu",
    "workers": 1,
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """For networks as small as these, threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def davis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DAVIS-style root: four videos of five frames, a bright square that moves over noise."""
    root = tmp_path_factory.mktemp("davis")
    for video in range(4):
        rng = np.random.default_rng(video)
        for folder in ("JPEGImages", "Annotations"):
            (root / folder / f"v{video}").mkdir(parents=True)
        for frame in range(5):
            picture = rng.integers(0, 120, (48, 64, 3), dtype=np.uint8)
            mask = np.zeros((48, 64), np.uint8)
            mask[12:32, 8 + 6 * frame : 28 + 6 * frame] = 255
            picture[mask > 0] += 120
            name = f"v{video}/{frame:05d}"
            cv2.imwrite(str(root / "JPEGImages" / f"{name}.jpg"), picture)
            cv2.imwrite(str(root / "Annotations" / f"{name}.png"), mask)
    return root


@pytest.fixture
def config(davis: Path, tmp_path: Path) -> MakeConfig:
    """A configuration of a tiny training into tmp_path/run, with these changes."""

    def make(**changes: object) -> TrainConfig:
        values = {"kind": "video", "data": (str(davis),), "output": tmp_path / "run", **TINY, **changes}
        return TrainConfig(**values)  # type: ignore[arg-type]

    return make


@pytest.fixture
def config_file(davis: Path, tmp_path: Path) -> Callable[..., Path]:
    """The same as a YAML file, without the output."""

    def write(**changes: object) -> Path:
        values = {"kind": "video", "data": [str(davis)], **TINY, **changes}
        path = tmp_path / "tiny.yaml"
        path.write_text("".join(f"{name}: {value}\n" for name, value in values.items()))
        return path

    return write
