"""Training with data, logs and checkpoints, beside the same network in a bare loop on random tensors.

    python benchmarks/train_throughput.py KIND --config NAME --data FOLDER [--steps 40] [--warm-up 5]

Both use the same batch, precision, optimizer and number of threads. The bare loop runs before and after the
training; the mean of the two is what it is compared with, as other work on the machine may come and go.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from machine import header

from vsodtool.checks import resolve_device
from vsodtool.config import TrainConfig, load_config, shipped_path
from vsodtool.media.training_run.log import read_log
from vsodtool.models.evidence.architecture import DENSIFIER
from vsodtool.models.evidence.network import EvidenceInput
from vsodtool.ops.labels.evidence_maps import CELL, MAPS
from vsodtool.pipelines.running.process import keep_freed_memory
from vsodtool.pipelines.train import run_train
from vsodtool.pipelines.training.init import place, start_network
from vsodtool.pipelines.training.processes import World
from vsodtool.pipelines.training.run import Plan
from vsodtool.pipelines.training.state import create_optimizer
from vsodtool.types import ignore_event

WARM_UP = 5  # steps that are not counted


def random_batch(config: TrainConfig, network: Any, device: torch.device) -> tuple[Any, torch.Tensor]:
    """What the network takes, a tensor or `EvidenceInput`, and labels."""
    batch, side = config.batch_size, config.size
    frames = (config.clip_length,) if config.kind == "video" else ()
    wanted = (torch.rand(*frames, batch, 1, side, side, device=device) > 0.5).float()
    if config.kind != DENSIFIER:
        seen = torch.rand(*frames, batch, network.architecture.channels_in, side, side, device=device)
        return seen, wanted
    cells = side // CELL
    maps = torch.rand(batch, MAPS, side, side, device=device)
    evidence = EvidenceInput(
        maps=maps,
        distances=torch.full((batch, 2), 5.0, device=device),
        positions=torch.rand(batch, 2, cells, cells, device=device),
        images=maps[:, None, :3].repeat(1, 2, 1, 1, 1),
        labels=maps[:, None, 3:4].repeat(1, 2, 1, 1, 1),
        known_positions=torch.rand(batch, 2, 2, cells, cells, device=device),
    )
    return evidence, wanted


def bare_seconds(config: TrainConfig, steps: int) -> float:
    """Median seconds per step of forward, loss, backward and optimizer on one random batch."""
    device = resolve_device(config.device)
    network = start_network(config, ignore_event, load=False).network
    place(network, device)
    optimizer = create_optimizer(config, network)
    precision = Plan.of(config, 1, World(0, 1, device)).precision
    given, labels = random_batch(config, network, device)
    taken = []
    for _ in range(WARM_UP + steps):
        began = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            logits = network(given)
        torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), labels).backward()
        optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[WARM_UP:])


def training_seconds(config: TrainConfig, steps: int, warm_up: int) -> tuple[float, float]:
    """Median seconds per step of `vsodtool train`, and the share of them spent waiting for data."""
    with tempfile.TemporaryDirectory() as folder:
        changes = {"output": Path(folder) / "run", "epochs": 1, "steps_per_epoch": warm_up + steps}
        run_train(replace(config, **changes, validation_samples=1))  # type: ignore[arg-type]
        log = read_log(Path(folder) / "run" / "log.jsonl")
    records = [record for record in log if record["event"] == "step"][warm_up:]
    seconds = [record["seconds"] for record in records]
    return statistics.median(seconds), sum(record["waited"] for record in records) / sum(seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kind", choices=["image", "fgplg", "video", "densifier"])
    parser.add_argument("--config", help="a shipped one; default: train-KIND-small, or train-densifier")
    parser.add_argument("--data", action="append", required=True)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument(
        "--warm-up", type=int, default=WARM_UP, help="steps of training not counted: motion maps are cached"
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    small = "" if arguments.kind == DENSIFIER else "-small"
    name = arguments.config or f"train-{arguments.kind}{small}"
    config = load_config(
        TrainConfig,
        shipped_path(f"configs/{name}.yaml"),
        {
            "kind": arguments.kind,
            "data": tuple(arguments.data),
            "output": Path("unused"),
            "device": arguments.device,
            "workers": arguments.workers,
        },
    )
    keep_freed_memory()
    before = bare_seconds(config, arguments.steps)
    training, waited = training_seconds(config, arguments.steps, arguments.warm_up)
    after = bare_seconds(config, arguments.steps)
    bare = (before + after) / 2
    lines = [
        f"## Training throughput, {name}",
        "",
        *header(),
        "",
        "| | seconds per step | samples/s |",
        "|---|---|---|",
        f"| bare loop, before | {before:.3f} | {config.batch_size / before:.2f} |",
        f"| `vsodtool train` | {training:.3f} | {config.batch_size / training:.2f} |",
        f"| bare loop, after | {after:.3f} | {config.batch_size / after:.2f} |",
        "",
        f"Training has {bare / training:.2f} of the bare loop's throughput; {waited:.1%} of its time went by "
        f"waiting for data. {config.backbone}, {config.size} px, batch {config.batch_size}, "
        f"{torch.get_num_threads()} threads; medians of {arguments.steps} steps.",
        "",
    ]
    text = "\n".join(lines)
    print(text)
    if arguments.out is not None:
        with arguments.out.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}")


if __name__ == "__main__":
    main()
