"""The benchmark of detectors runs, and its floors are what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from vsodtool.data.generated.clip import ClipConfig, generate_clip
from vsodtool.media.images import read_grey, write_png
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
    made = tmp_path / "made"
    for name, mask in zip(clip.names, clip.masks, strict=True):
        write_png(made / "star" / f"{name}.png", mask.astype(np.uint8) * 255)
    command = [sys.executable, str(SCRIPT), str(root), "--weights", str(weights), "--work", str(work)]
    command += ["--maps", f"truth={made}", "--combine", "mean:truth,centre", "product:truth,centre"]
    done = subprocess.run([*command, "--per-video"], capture_output=True, text=True, check=True)
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("| ")]
    names = ["centre", "length of the flow", "the same without the camera", str(weights), "truth"]
    names += ["mean of truth and centre", "product of truth and centre"]
    assert [row[0].strip() for row in rows] == ["", *names, "video", "star"]
    scores = np.array([[float(cell) for cell in row[1:5]] for row in rows[1:8]])
    assert ((scores >= 0) & (scores <= 1)).all()
    # The star moves by itself before a panning camera: without the camera's share it stands out more.
    assert scores[2, 0] > scores[1, 0]
    assert scores[4].tolist() == [1.0, 1.0, 0.0, 1.0]
    assert scores[6, 2] < scores[5, 2] < scores[0, 2]  # MAE: the product is never above the mean
    centre, truth, mean, product = (
        read_grey(next(iter(sorted((folder / "star").iterdir())))) / 255
        for folder in (work / "0/soft", made, work / "5/soft", work / "6/soft")
    )
    np.testing.assert_allclose(mean, (centre + truth) / 2, atol=0.51 / 255)
    np.testing.assert_allclose(product, np.sqrt(centre * truth), atol=0.51 / 255)
