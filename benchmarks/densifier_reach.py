"""How far from the labels that came should the learned densifier be heard? On its own validation data.

    python benchmarks/densifier_reach.py RUN [--weights NAME|FILE] [--samples 120] [--size 384]

RUN is a folder of `vsodtool train densifier`, whose evidence about videos that were set aside is used. J of
squares around the object: of the rules alone, of the network, and of the network where it is heard only
within some share of the object's size from a label that came (`REACH` of densify/methods/learned.py).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from machine import header
from torch import Tensor

from vsodtool.config import TrainConfig, load_config
from vsodtool.data.evidence.dataset import EvidenceDataset
from vsodtool.data.sources.training_data import DataSpec, load_training_data
from vsodtool.media.training_run.folder import RunFolder
from vsodtool.metrics import region_j
from vsodtool.models.evidence.densifier import EvidenceDensifier
from vsodtool.models.evidence.network import EvidenceNet
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.ops.labels.evidence_maps import GUESS, claimed
from vsodtool.ops.labels.object_frame import object_frame
from vsodtool.ops.sampling.sample_order import spread
from vsodtool.pipelines.densify.methods.learned import CLAIM, grown
from vsodtool.pipelines.evidence.store import store_evidence
from vsodtool.pipelines.networks.load import load_network
from vsodtool.pipelines.training.kinds import KINDS

SHARES = (0.0, 0.05, 0.1, 0.2, 0.4)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--weights", default="densifier-small")
    parser.add_argument("--samples", type=int, default=120)
    parser.add_argument("--size", type=int, default=384)
    options = parser.parse_args()
    folder = RunFolder(options.run)
    config = load_config(TrainConfig, folder.config, {})
    spec = DataSpec(data=config.data, validation_share=config.validation_share, seed=config.seed)
    videos = load_training_data(spec, cache=folder.frames).validation
    files = store_evidence(videos, config.gaps, folder.evidence, lambda event: print(event.message))
    data = EvidenceDataset(files, size=options.size)
    network = load_network(options.weights).network
    assert isinstance(network, EvidenceNet)
    densifier = EvidenceDensifier(network, device=torch.device("cpu"))
    rows: dict[str, list[list[float]]] = {}
    for number in spread(len(data), options.samples):
        video, scores = judge(densifier, data, number)
        rows.setdefault(f"{video} {files[number].maps.parent.name}", []).append(scores)
    means = np.mean([np.mean(part, axis=0) for part in rows.values()], axis=0)
    print("\n".join(("## densifier_reach.py", "", *header(), "")))
    print("| | rules | network | " + " | ".join(f"within {share:g}" for share in SHARES) + " |")
    print("|---|" + "---|" * len(means))
    print("| J, mean over videos and gaps | " + " | ".join(f"{mean:.4f}" for mean in means) + " |")


def judge(densifier: EvidenceDensifier, data: EvidenceDataset, number: int) -> tuple[str, list[float]]:
    """The video of a sample, and its J: by the rules, by the network, and within each share."""
    sample = data[number]
    told = KINDS["densifier"].task.network_input(sample, Preprocessing())
    memories = densifier.remember(densifier.look(told.images), told.labels, told.known_positions)
    found = densifier.decide_together([told.frame], [memories]) > 0
    guess = told.maps[:, GUESS:] > 0.5
    frame = object_frame(told.maps[0, GUESS], (0, 0))
    unit = 0.0 if frame is None else frame.unit

    def j(mask: Tensor) -> float:
        inside = sample.weights > 0.5
        return region_j((mask & inside)[0, 0].numpy(), ((sample.truth > 0.5) & inside)[0, 0].numpy())

    near = claimed(told.maps) > CLAIM
    bounded = [torch.where(grown(near, round(share * unit)), found, guess) for share in SHARES]
    return sample.videos[0], [j(guess), j(found), *(j(mask) for mask in bounded)]


if __name__ == "__main__":
    main()
