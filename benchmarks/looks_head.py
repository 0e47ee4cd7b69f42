"""Train the head of rcrnet-ner-looks: U²-NetP's frozen features and motion maps -> a map.

    python benchmarks/looks_head.py WORK --data davis-train --data sod --data duts-tr-part
        [--samples 4500] [--steps 2400] [--batch 12] [--learning-rate 2e-3] [--seed 1]
    python benchmarks/fuse_weights.py --head WORK/head.safetensors \\
        --weights weights/rcrnet-ner-looks.safetensors

Three of four samples are frames of the videos, the others stills set in motion, varied as in `train`. U²-NetP
is frozen, so each sample goes through it once: its features wait in WORK/samples (1.9 MB each). The videos
and images that `train` would set aside with a share of .15 and seed 0 are not used. Killed, the same command
goes on with the samples that it has, and trains anew; a sample and a step take a third of a second each.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from vsodtool.data.augmentation import AUGMENTATION
from vsodtool.data.batches import ClipSample
from vsodtool.data.clips.dataset import ClipDataset
from vsodtool.data.sources.training_data import DataSpec, load_training_data
from vsodtool.models.flow.by_patches import motion_estimator
from vsodtool.models.fused.head import LooksHead
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.layers import resize
from vsodtool.models.rcrnet.losses import region_loss
from vsodtool.models.u2net.architecture import U2NetArchitecture
from vsodtool.models.u2net.network import U2Net, U2NetFeatures
from vsodtool.ops.motion.maps import enlarge_maps
from vsodtool.pipelines.networks.load import load_network

SIZE = 320
LABELS = SIZE // 2  # the side at which the loss is taken
STILLS = 4  # every so many samples one is of a still image
STILL_CLIP = 3  # frames of a still set in motion; the middle one is taken
DECODERS = 3
BLIND, STILL = 0.1, 0.2  # shares of samples without looks, and without motion
WARMUP, DECAY, EMA, CLIP = 60, 0.02, 0.99, 1.0


class Sample(NamedTuple):
    """What the head sees, and what it should say; float16 but for the labels."""

    features: list[Tensor]
    motion: Tensor  # of the half size, as the dataset has it
    label: Tensor  # uint8 (1, LABELS, LABELS)


def datasets(data: list[str], work: Path) -> tuple[ClipDataset, ClipDataset]:
    """Frames of videos, and stills in motion. Both senses are there: training takes one of them away."""
    found = load_training_data(DataSpec(data=tuple(data), validation_share=0.15), cache=work / "frames")
    augmentation = replace(AUGMENTATION, blind=0.0, still=0.0)
    videos = [video for video in found.train if not video.stills]
    stills = [video for video in found.train if video.stills]
    print(f"{len(videos)} videos; set aside: {', '.join(video.name for video in found.validation)}")
    options = {"size": SIZE, "augmentation": augmentation, "estimator": motion_estimator}
    return ClipDataset(videos, clip_length=1, **options), ClipDataset(
        stills, clip_length=STILL_CLIP, **options
    )


def draw(number: int, films: ClipDataset, stills: ClipDataset) -> tuple[ClipSample, int]:
    """A sample, and which of its frames is meant; each index comes once in a round, in random order."""
    turn, place = divmod(number, STILLS)
    dataset, position, at = (
        (films, (STILLS - 1) * turn + place, 0) if place < STILLS - 1 else (stills, turn, STILL_CLIP // 2)
    )
    round_, index = divmod(position, len(dataset))
    order = np.random.default_rng((round_, at)).permutation(len(dataset))
    return dataset[round_, int(order[index])], at


def coarse_looks() -> tuple[U2NetFeatures, Preprocessing]:
    """U²-NetP up to a quarter of the images' size."""
    loaded = load_network("u2netp")
    assert isinstance(loaded.network, U2Net)
    coarse = U2NetFeatures(loaded.network.architecture, DECODERS)
    coarse.load_state_dict({name: loaded.network.state_dict()[name] for name in coarse.state_dict()})
    coarse.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return coarse, loaded.preprocessing


def prepare(looks: U2NetFeatures, preprocessing: Preprocessing, sample: ClipSample, at: int) -> Sample:
    """One frame through U²-NetP."""
    assert sample.motion is not None
    images = preprocessing.normalise(sample.images[at : at + 1].float() / 255)
    with torch.inference_mode():
        features = looks.features(_last(images))
    label = functional.avg_pool2d(sample.labels[at : at + 1].float(), SIZE // LABELS)[0]
    return Sample([level[0].half() for level in features], sample.motion[at], (label * 255).round().byte())


def make_samples(options: argparse.Namespace) -> list[Path]:
    """The files of all samples; those that are not there are made."""
    folder = options.work / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:05d}.pt" for number in range(options.samples)]
    missing = [number for number, path in enumerate(paths) if not path.exists()]
    if missing:
        films, stills = datasets(options.data, options.work)
        looks = coarse_looks()
        for number in missing:
            written = paths[number].with_suffix(".part")
            torch.save(tuple(prepare(*looks, *draw(number, films, stills))), written)
            written.replace(paths[number])
    return paths


def batch(paths: list[Path], rng: np.random.Generator) -> tuple[list[Tensor], Tensor, Tensor]:
    """Features, motion maps at the images' size, labels in [0, 1]; of some samples a sense is taken away."""
    samples = [Sample(*torch.load(path)) for path in paths]
    features = [torch.stack(level).float() for level in zip(*(one.features for one in samples), strict=True)]
    motion = enlarge_maps(torch.stack([one.motion for one in samples]).float(), SIZE)
    chance = torch.from_numpy(rng.random(len(paths))).view(-1, 1, 1, 1)
    features = [level * (chance >= BLIND) for level in features]
    motion = motion * ((chance < BLIND) | (chance >= BLIND + STILL))
    labels = torch.stack([one.label for one in samples]).float() / 255
    return [_last(level) for level in features], _last(motion), labels


def _last(values: Tensor) -> Tensor:
    return values.contiguous(memory_format=torch.channels_last)


def train(paths: list[Path], options: argparse.Namespace) -> dict[str, Tensor]:
    """The running mean of the weights after the last step."""
    torch.manual_seed(options.seed)
    head = LooksHead(U2NetArchitecture().width).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(head.parameters(), lr=options.learning_rate, weight_decay=DECAY)
    mean = {name: values.clone() for name, values in head.state_dict().items()}
    for step in range(options.steps):
        rng = np.random.default_rng((options.seed, step))
        chosen = [paths[number] for number in rng.choice(len(paths), options.batch, replace=False)]
        features, motion, labels = batch(chosen, rng)
        cosine = (1 + math.cos(math.pi * step / options.steps)) / 2
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate * min(1, (step + 1) / WARMUP) * cosine
        with torch.autocast("cpu", torch.bfloat16):
            logits = head(features, motion)
        loss = region_loss(resize(logits.float(), (LABELS, LABELS)), labels, torch.ones_like(labels))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(head.parameters(), CLIP)
        optimizer.step()
        decay = min(EMA, (step + 1) / (step + 10))
        for name, values in head.state_dict().items():
            is_weight = values.is_floating_point()
            mean[name] = mean[name].lerp(values, 1 - decay) if is_weight else values.clone()
        if step % 50 == 0:
            print(f"step {step}: loss {float(loss.detach()):.3f}", file=sys.stderr, flush=True)
    return mean


def main() -> None:
    """Make what is missing, train, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path, help="folder for the samples and for head.safetensors")
    parser.add_argument("--data", action="append", required=True, help="as of `train`; videos and images")
    parser.add_argument("--samples", type=int, default=4500)
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    mean = train(make_samples(options), options)
    save_file({name: values.contiguous() for name, values in mean.items()}, options.work / "head.safetensors")
    print(options.work / "head.safetensors")


if __name__ == "__main__":
    main()
