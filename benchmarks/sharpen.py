"""The logits of a trained detector, sharpened as its own validation data like it best.

    python benchmarks/sharpen.py RUN OUT.safetensors

A network that learnt for a short time is less sure than it is right: its maps are grey, and the S-measure,
which is taken of the maps and not of a mask, suffers. Here each logit z becomes slope x (z - shift), the same
for all pixels of all videos; slope and shift are those of a coarse grid with the best S-measure on the
validation data of RUN (a folder of `vsodtool train`), which were not trained on. Both go into the last
convolution of best.safetensors, which is written to OUT in 16 bits. Prints the grid.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from machine import header

from vsodtool.config.load import load_config
from vsodtool.config.train import TrainConfig
from vsodtool.media.run_folder import RunFolder
from vsodtool.media.weight_files import read_weights
from vsodtool.metrics import region_j, score_frame
from vsodtool.models.decoder import Decoder
from vsodtool.models.rcrnet import RcrNet
from vsodtool.ops.sample_order import spread
from vsodtool.pipelines.load_network import LoadedNetwork, network_of
from vsodtool.pipelines.save_network import save_network
from vsodtool.pipelines.train_setup import open_datasets
from vsodtool.pipelines.train_task import TASKS

SLOPES = (1.0, 1.5, 2.0, 3.0)
SHIFTS = (-0.5, 0.0, 0.5, 1.0, 1.5)
Frame = tuple[np.ndarray, np.ndarray]  # logits and truth


@torch.no_grad()
def validation_logits(run: Path, loaded: LoadedNetwork) -> dict[str, dict[str, Frame]]:
    """Video -> frame -> logits and truth (S, S), of the clips that chose the best weights."""
    folder = RunFolder(run)
    config = load_config(TrainConfig, folder.config, {})
    with tempfile.TemporaryDirectory() as cache:
        dataset = open_datasets(config, RunFolder(Path(cache))).validation
        task = TASKS[config.kind]
        found: dict[str, dict[str, Frame]] = {}
        for index in spread(len(dataset), config.validation_samples):
            batch = task.collate([dataset[(0, index)]])
            target = task.target(batch)
            logits = loaded.network(task.network_input(batch, loaded.preprocessing))
            logits = logits.view(target.labels.shape)
            for place, name in enumerate(target.frames[0]):
                pair = (logits[place, 0, 0].numpy(), target.labels[place, 0, 0].numpy() > 0.5)
                found.setdefault(target.videos[0], {})[name] = pair
    return found


def score(frames: dict[str, dict[str, Frame]], slope: float, shift: float) -> np.ndarray:
    """S-measure, J and MAE: means over the frames of a video, then over the videos, of 8-bit maps."""
    means = []
    for video in frames.values():
        rows = []
        for logits, truth in video.values():
            maps = (255 / (1 + np.exp(-slope * (logits - shift)))).round().astype(np.float32) / 255
            scores = score_frame(maps, truth, measures=("s_measure", "mae"))
            rows.append((scores.s_measure, region_j(maps >= 0.5, truth), scores.mae))
        means.append(np.mean(rows, axis=0))
    return np.asarray(np.mean(means, axis=0))


def sharpen(network: RcrNet, slope: float, shift: float) -> None:
    """Change the last convolution so that its logits z become slope x (z - shift)."""
    assert isinstance(network.decoder, Decoder)
    logit = network.decoder.logit
    assert logit.bias is not None
    logit.weight.data *= slope
    logit.bias.data = slope * (logit.bias.data - shift)


def main() -> None:
    """Measure, choose, write and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="folder of a training")
    parser.add_argument("output", type=Path, help="safetensors file")
    arguments = parser.parse_args()
    file = read_weights(RunFolder(arguments.run).best)
    loaded = network_of(file)
    frames = validation_logits(arguments.run, loaded)
    lines = ["## sharpen.py", "", *header(), "", "| slope | shift | S | J | MAE |", "|---|---|---|---|---|"]
    best = (-np.inf, 1.0, 0.0)
    for slope in SLOPES:
        for shift in SHIFTS:
            scores = score(frames, slope, shift)
            lines.append(f"| {slope:g} | {shift:g} | {' | '.join(f'{value:.4f}' for value in scores)} |")
            best = max(best, (float(scores[0]), slope, shift))
    _, slope, shift = best
    sharpen(loaded.network, slope, shift)
    said = {
        "sharpened": f"slope {slope:g}, shift {shift:g}",
        "source_sha256": file.sha256,
        "precision": "fp16",
    }
    metadata = {**file.metadata, **said}
    save_network(arguments.output, loaded.network, loaded.preprocessing, metadata=metadata, half=True)
    print("\n".join([*lines, "", f"chosen: {said['sharpened']}"]))


if __name__ == "__main__":
    main()
