"""What the commands make on a CUDA device is what they make on the CPU, within rounding."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from torchvision.models.optical_flow import raft_small

from vsodtool.config import PredictConfig, PseudoLabelConfig, TrainConfig
from vsodtool.data.generated.clip import ClipConfig, generate_clip
from vsodtool.metrics import region_j
from vsodtool.models.flow.raft import RaftEstimator
from vsodtool.pipelines.networks.load import load_network
from vsodtool.pipelines.predict import run_predict
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.pipelines.train import run_train

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
Pixels = npt.NDArray[np.uint8]
FRAMES = 21


@pytest.fixture(autouse=True)
def libraries_may_warn() -> Iterator[None]:
    """CUDA libraries warn of what torch does with them; what vsodtool does is warned of on the CPU too."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="torch")
        yield


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated clip, JPEGImages/clip; masks of one thing (Annotations) and of its two halves (Halves)."""
    root = tmp_path_factory.mktemp("clip")
    made = generate_clip(ClipConfig(frames=FRAMES, height=192, width=320))
    for kind in ("JPEGImages", "Annotations", "Halves"):
        (root / kind / "clip").mkdir(parents=True)
    columns = np.arange(320)
    for name, frame, mask in zip(made.names, made.frames, made.masks, strict=True):
        right = columns[None] > (columns * mask.sum(axis=0)).sum() / max(mask.sum(), 1)
        pictures = {
            "JPEGImages": frame[..., ::-1],
            "Annotations": mask.astype(np.uint8) * 255,
            "Halves": mask * np.where(right, 2, 1).astype(np.uint8),
        }
        for kind, picture in pictures.items():
            assert cv2.imwrite(str(root / kind / "clip" / f"{name}.png"), np.ascontiguousarray(picture))
    return root


def labels(out: Path) -> list[Pixels]:
    paths = sorted((out / "masks" / "clip").glob("*.png"))
    assert len(paths) == FRAMES
    return [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths]


@pytest.mark.parametrize(
    "options",
    [
        {"method": "warp"},
        {"method": "fgplg"},
        {"method": "fgplg", "quality": "best", "every": 20},
        {"method": "auto"},
        {"method": "auto", "every": FRAMES},  # one mask at each end: the tracker joins in
        {"method": "auto", "quality": "fast", "masks": "Halves"},
        {"method": "fgplg", "adapt": 1},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_labels(clip: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    made = {}
    for device in ("cpu", "cuda"):
        config = PseudoLabelConfig(
            **{
                "inputs": (str(clip / "JPEGImages" / "clip"),),
                "output": tmp_path / device,
                "every": 10,
                "soft": True,
                "confidence": True,
                **options,
                "masks": (str(clip / options.get("masks", "Annotations") / "clip"),),
                "device": device,
            }
        )
        run_pseudolabel(config)
        made[device] = labels(tmp_path / device)
    values = sorted({int(value) for mask in made["cpu"] for value in np.unique(mask)} - {0})
    assert len(values) == (2 if "masks" in options else 1)
    # Fine-tuning goes other ways by the last bit of its first step.
    least = 0.9 if "adapt" in options else 0.97
    for value in values:
        alike = [region_j(a == value, b == value) for a, b in zip(made["cpu"], made["cuda"], strict=True)]
        assert np.mean(alike) > least


def test_flow_of_raft(clip: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    estimator = RaftEstimator(
        "raft-small",
        quality="fast",
        device=torch.device("cuda"),
        weights=raft_small(weights=None).state_dict(),
    )
    config = PseudoLabelConfig(
        inputs=(str(clip / "JPEGImages" / "clip"),),
        masks=(str(clip / "Annotations" / "clip"),),
        output=tmp_path / "out",
        every=10,
        method="warp",
        device="cuda",
    )
    report = run_pseudolabel(config, estimator=estimator)
    assert report.videos[0].generated == FRAMES - 3
    # Of random weights the flow is nonsense, near the masks and its labels far from them something.
    assert all(mask.any() for mask in labels(tmp_path / "out")[:3])


@pytest.mark.parametrize("weights", ["rcrnet-ner-looks", "rcrnet-ner-motion"])
@pytest.mark.parametrize(("precision", "most"), [("fp32", 2), ("bf16", 8)])
def test_maps(clip: Path, tmp_path: Path, weights: str, precision: str, most: int) -> None:
    made = {}
    for device in ("cpu", "cuda"):
        config = PredictConfig(
            inputs=(str(clip / "JPEGImages" / "clip"),),
            output=tmp_path / device,
            weights=weights,
            device=device,
            precision="fp32" if device == "cpu" else precision,
        )
        run_predict(config)
        paths = sorted(tmp_path.joinpath(device).rglob("*.png"))
        assert len(paths) == FRAMES
        made[device] = np.stack([cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths]).astype(int)
    assert np.abs(made["cpu"] - made["cuda"]).mean() < most


@pytest.mark.parametrize("kind", ["image", "fgplg", "video", "densifier"])
def test_training(config: Callable[..., TrainConfig], tmp_path: Path, kind: str) -> None:
    more: dict[str, Any] = {"kind": kind, "device": "cuda", "precision": "bf16"}
    if kind == "densifier":
        more |= {"gaps": (2, 4), "backbone": "efficientnet_lite0"}
        more |= {"fine_width": 8, "middle_width": 8, "coarse_width": 8}
    report = run_train(config(**more))
    assert (report.steps, report.epochs) == (6, 2)
    assert 0 < report.best_score <= 1
    for file in ("best", "final"):
        assert load_network(str(tmp_path / "run" / f"{file}.safetensors"), (kind,))
