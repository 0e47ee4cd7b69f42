"""What a CUDA machine makes of vsodtool, in under eight minutes: tests, speed, and that beside the card's.

    python benchmarks/gpu.py [--device auto] [--tiny] [--only rates tests predict train pseudolabel]
                             [--out FILE.md]

Everything is generated here, so nothing has to be fetched: 854x480 frames with a mask every 10, networks with
random weights (their values change no speed; RAFT takes its published ones where they lie in torch's cache,
and random flow is wilder, which makes boxes larger). `of the card` is what the networks compute a second,
counted by torch, over what a large product of bf16 matrices reaches here. `--device cpu --tiny` runs all of
it on small pictures, to see that the script works.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from machine import ROOT, header, publish
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.optical_flow import raft_large, raft_small
from train_throughput import bare_seconds, random_batch, training_seconds

from vsodtool.checks import resolve_device
from vsodtool.config import PredictConfig, PseudoLabelConfig, TrainConfig, load_config, shipped_path
from vsodtool.data.generated.clip import ClipConfig, generate_clip
from vsodtool.media.images import write_png
from vsodtool.models.architecture import Architecture
from vsodtool.models.flow.raft import RaftEstimator
from vsodtool.models.flow.registry import weight_files
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import create_network
from vsodtool.pipelines.networks.save import save_network
from vsodtool.pipelines.predict import run_predict
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.pipelines.training.init import start_network
from vsodtool.types import ignore_event

EVERY = 10
PARTS = ("rates", "tests", "predict", "train", "pseudolabel")
RAFT = {"raft-small": raft_small, "raft-large": raft_large}


@dataclass(frozen=True)
class Scale:
    """How much is measured: pictures, frames of a video, side of a network's square, training steps.

    And the sides of matrices, and the `--quality` of flow.
    """

    height: int
    width: int
    frames: int
    side: int
    steps: int
    matrix: int
    quality: str


FULL = Scale(480, 854, 61, 448, 20, 8192, "balanced")
TINY = Scale(96, 128, 4, 64, 2, 256, "fast")


class Card:
    """The device, and what it reaches."""

    def __init__(self, device: torch.device, matrix: int) -> None:
        self.device = device
        first, second = (torch.randn(matrix, matrix, device=device).bfloat16() for _ in range(2))
        self.products = 2 * matrix**3 / self.seconds(lambda: first @ second)
        block = torch.empty(64 * matrix**2 // 16, dtype=torch.uint8)
        there, other = block.to(device), block.to(device)
        self.copies = 2 * block.numel() / self.seconds(lambda: other.copy_(there))
        self.upload = block.numel() / self.seconds(lambda: there.copy_(block))

    def seconds(self, work: Callable[[], Any]) -> float:
        """Of one call, the best of ten after a few to warm up."""
        taken = []
        for _ in range(13):
            self.wait()
            begun = time.perf_counter()
            work()
            self.wait()
            taken.append(time.perf_counter() - begun)
        return min(taken[3:])

    def wait(self) -> None:
        """Until the device has done all that it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def begin(self) -> None:
        """Forget earlier peaks of memory."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)

    @property
    def peak(self) -> str:
        """Peak memory since `begin`."""
        if self.device.type != "cuda":
            return "-"
        return f"{torch.cuda.max_memory_allocated(self.device) / 2**20:.0f}"

    def share(self, operations: float) -> str:
        """Operations a second as a share of `products`."""
        return f"{operations / self.products:.1%}"

    @property
    def name(self) -> str:
        """For people."""
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else str(self.device)


def count(work: Callable[[], Any]) -> float:
    """Floating-point operations of the products and convolutions of one call."""
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())


def make_video(folder: Path, scale: Scale) -> None:
    """A DAVIS-style root with one generated video, all of it masked."""
    clip = generate_clip(ClipConfig(frames=scale.frames, height=scale.height, width=scale.width))
    for index, (frame, mask) in enumerate(zip(clip.frames, clip.masks, strict=True)):
        write_png(folder / "JPEGImages" / "clip" / f"{index:05d}.png", frame)
        write_png(folder / "Annotations" / "clip" / f"{index:05d}.png", mask.astype("uint8") * 255)


def pseudolabel(card: Card, data: Path, folder: Path, scale: Scale) -> Iterator[str]:
    """Flow and the learned densifier, files to files; the second of two runs, as kernels are warm then."""
    yield labels_line(card, data, folder, "dis")
    pictures = torch.rand(2, 3, scale.height, scale.width, device=card.device)
    for variant, build in RAFT.items():
        published = all(path.is_file() for path in weight_files(variant))
        torch.manual_seed(0)
        weights = None if published else build(weights=None).state_dict()
        estimator = RaftEstimator(variant, quality=scale.quality, device=card.device, weights=weights)
        kind = "published weights" if published else "random weights"
        yield labels_line(card, data, folder, f"{variant} ({kind})", estimator)
        # Counted on the CPU: operations are counted in the thread that asks, a GPU's estimator has its own.
        counted = RaftEstimator(variant, quality=scale.quality, weights=weights)
        pair = count(partial(counted.estimate, pictures[:1].cpu(), pictures[1:].cpu()))
        alone = 2 / card.seconds(partial(estimator.estimate, pictures, pictures.flip(0)))
        yield f"| {variant} alone, two at once | {alone:.1f} pairs/s | - | {card.share(pair * alone)} |"


def labels_line(
    card: Card, data: Path, folder: Path, name: str, estimator: RaftEstimator | None = None
) -> str:
    """`pseudolabel --method fgplg` with an estimator, or with DIS."""
    config = PseudoLabelConfig(
        inputs=(str(data / "JPEGImages" / "clip"),),
        masks=(str(data / "Annotations" / "clip"),),
        output=folder / name,
        method="fgplg",
        backend="auto" if estimator else "dis",
        device=str(card.device),
        every=EVERY,
    )
    run_pseudolabel(config, estimator=estimator)
    card.begin()
    report = run_pseudolabel(replace(config, overwrite=True), estimator=estimator)
    rate = report.videos[0].generated / report.videos[0].seconds
    return f"| pseudolabel, {name} | {rate:.2f} frames/s | {card.peak} | - |"


def predict(card: Card, data: Path, folder: Path, scale: Scale) -> Iterator[str]:
    """RCRNet+NER of the paper's size."""
    torch.manual_seed(0)
    network = create_network(Architecture(kind="video", backbone="resnet50"))
    weights = folder / "resnet50.safetensors"
    save_network(weights, network, Preprocessing(size=scale.side))
    config = PredictConfig(
        inputs=(str(data / "JPEGImages" / "clip"),),
        output=folder / "maps",
        weights=str(weights),
        device=str(card.device),
        precision="bf16",
    )
    run_predict(config)
    card.begin()
    report = run_predict(replace(config, overwrite=True))
    rate = scale.frames / report.videos[0].seconds
    clip = torch.rand(config.clip_length, 1, 3, scale.side, scale.side, device=card.device)
    network = network.to(card.device).eval()
    with torch.inference_mode():
        each = count(lambda: network(clip)) / config.clip_length
    line = f"| predict, resnet50 {scale.side}x{scale.side} bf16 | {rate:.2f} frames/s | {card.peak} | "
    yield line + f"{card.share(each * rate)} |"


def train(card: Card, data: Path, folder: Path, scale: Scale) -> Iterator[str]:
    """`train video` as the paper does it, beside the bare loop."""
    changes = {
        "data": (str(data),),
        "output": folder / "run",
        "device": str(card.device),
        "init": "scratch",
        "batch_norm": "learned",
        "size": scale.side,
        "validation_share": 0.3,
    }
    config = load_config(TrainConfig, shipped_path("configs/train-video.yaml"), changes)
    each = operations_of_a_step(config, card.device)
    card.begin()
    bare = 1 / bare_seconds(config, scale.steps)
    size = f"{scale.side}x{scale.side}"
    yield (
        f"| bare loop, train video {size} | {bare:.2f} steps/s | {card.peak} | {card.share(each * bare)} |"
    )
    card.begin()
    seconds, waited = training_seconds(config, scale.steps, 2)
    yield (
        f"| train video, {waited:.0%} waiting for data | {1 / seconds:.2f} steps/s | {card.peak} | "
        f"{card.share(each / seconds)} |"
    )


def operations_of_a_step(config: TrainConfig, device: torch.device) -> float:
    """Forward and backward."""
    network = start_network(config, ignore_event, load=False).network.to(device)
    given, _ = random_batch(config, network, device)
    return count(lambda: network(given).sum().backward())


def tests() -> list[str]:
    """`pytest -m gpu`; its last line."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout[-4000:], done.stderr[-2000:], file=sys.stderr)
    return [f"| pytest -m gpu | {done.stdout.strip().splitlines()[-1].strip('= ')} | - | - |"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--tiny", action="store_true", help="small pictures, to see that the script works")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--out", type=Path, help="also append the figures to this file")
    arguments = parser.parse_args()
    scale = TINY if arguments.tiny else FULL
    begun = time.perf_counter()
    card = Card(resolve_device(arguments.device), scale.matrix)
    lines = ["## gpu.py", "", *header(), f"- device: {card.name}; torch {torch.__version__}", ""]
    lines += ["| what | result | peak MiB | of the card |", "|---|---:|---:|---:|"]
    if "rates" in arguments.only:
        lines.append(f"| product of bf16 matrices | {card.products / 1e12:.2f} TFLOP/s | - | 100% |")
        lines.append(f"| copies on the device | {card.copies / 1e9:.1f} GB/s | - | - |")
        lines.append(f"| copies to the device | {card.upload / 1e9:.1f} GB/s | - | - |")
    if "tests" in arguments.only:
        lines += tests()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_video(folder / "data", scale)
        for part in (predict, train, pseudolabel):
            if part.__name__ in arguments.only:
                print(f"{part.__name__} ...", file=sys.stderr)
                for line in part(card, folder / "data", folder, scale):  # told at once: time may run out
                    print(line, file=sys.stderr)
                    lines.append(line)
    lines += ["", f"All of it took {time.perf_counter() - begun:.0f} s."]
    publish(lines, arguments.out)


if __name__ == "__main__":
    main()
