"""A stretch of a video, as if it were all of it: what is salient is what `predict` finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from vsodtool.config import PredictConfig
from vsodtool.models.architecture import Architecture
from vsodtool.models.detector.detector import Detector
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import create_network
from vsodtool.ops.confidence import to_bytes
from vsodtool.ops.network_image import to_frame_size
from vsodtool.pipelines.detect.frames import detect_frames
from vsodtool.pipelines.predict import run_predict

WIDTHS: dict[str, Any] = {"context_width": 8, "skip_width": 8, "refine_width": 8, "decoder_width": 8}


@pytest.mark.parametrize(("kind", "motion"), [("video", True), ("image", False)])
@pytest.mark.usefixtures("one_thread")
def test_frames_are_seen_as_predict_sees_them(kind: str, motion: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frames = [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(6)]
    (tmp_path / "clip").mkdir()
    for number, rgb in enumerate(frames):
        cv2.imwrite(str(tmp_path / "clip" / f"{number:05d}.png"), np.ascontiguousarray(rgb[..., ::-1]))
    torch.manual_seed(0)
    network = create_network(
        Architecture(kind=kind, backbone="mobilenet_v3_small", motion_input=motion, **WIDTHS)
    )
    detector = Detector(network, Preprocessing(size=64), device=torch.device("cpu"), precision="fp32")
    config = PredictConfig(inputs=(str(tmp_path / "clip"),), output=tmp_path / "out", device="cpu", workers=1)
    run_predict(config, detector=detector)
    found = list(detect_frames(detector, iter(frames), len(frames), threads=1))
    assert len(found) == len(frames)
    for number, salient in enumerate(found):
        written = cv2.imread(str(tmp_path / "out" / "soft" / "clip" / f"{number:05d}.png"), 0)
        assert np.array_equal(to_bytes(to_frame_size(salient, (48, 64)))[0, 0].numpy(), written)
