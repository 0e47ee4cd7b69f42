"""The benchmark of detectors runs, and its floors are what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from vsodtool.data.generated.clip import ClipConfig, generate_clip
from vsodtool.media.images import write_png
from vsodtool.models.architecture import Architecture
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import create_network
from vsodtool.pipelines.networks.save import save_network

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "detector.py"


def test_it_scores_the_floors_and_the_weights(tmp_path: Path) -> None:
    root, work = tmp_path / "root", tmp_path / "work"
    clip = generate_clip(ClipConfig(frames=5, height=60, width=80))
    for name, frame, mask in zip(clip.names, clip.frames, clip.masks, strict=True):
        write_png(root / "JPEGImages" / "star" / f"{name}.png", frame)
        write_png(root / "Annotations" / "star" / f"{name}.png", mask.astype(np.uint8) * 255)
    widths = dict.fromkeys(("context_width", "skip_width", "refine_width", "decoder_width"), 8)
    torch.manual_seed(0)
    network = create_network(Architecture(backbone="mobilenet_v3_small", **widths))
    weights = tmp_path / "w.safetensors"
    save_network(weights, network, Preprocessing(size=64))
    command = [sys.executable, str(SCRIPT), str(root), "--weights", str(weights), "--work", str(work)]
    done = subprocess.run([*command, "--per-video"], capture_output=True, text=True, check=True)
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("| ")]
    names = ["centre", "length of the flow", "the same without the camera", str(weights)]
    assert [row[0].strip() for row in rows] == ["", *names, "video", "star"]
    scores = np.array([[float(cell) for cell in row[1:5]] for row in rows[1:5]])
    assert ((scores >= 0) & (scores <= 1)).all()
    # The star moves by itself before a panning camera: without the camera's share it stands out more.
    assert scores[2, 0] > scores[1, 0]
