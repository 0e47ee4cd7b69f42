"""A learned densifier with fewer channels, trained to say what a larger one says.

    python benchmarks/densifier_student.py WORK --data davis-train --data sod --data duts-tr-part
        [--teacher densifier-small] [--widths 16,32,64] [--squares 48] [--steps 900] [--learning-rate 5e-4]
    vsodtool weights convert WORK/student.safetensors densifier-small.safetensors --half

Evidence is recorded in WORK/evidence as `vsodtool train densifier` does (an hour of a core), the same videos
and images are set aside (a share of .15, seed 0). `fewer_channels.py` makes the student; then both see the
same squares: what is minimised is the cross-entropy with the teacher's probabilities, and a little of the
loss with the truth. Batch norms keep their statistics. A step takes a second of a core. Killed, the same
command goes on from the last hundredth step.
"""

from __future__ import annotations

import argparse
import copy
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from fewer_channels import narrowed
from torch import Tensor, nn

from vsodtool.data.augmentation import AUGMENTATION
from vsodtool.data.batches import EvidenceBatch, collate_evidence
from vsodtool.data.evidence.dataset import EvidenceDataset
from vsodtool.data.sources.training_data import DataSpec, load_training_data
from vsodtool.models.backbones.efficientnet_lite import EfficientNetLiteBackbone
from vsodtool.models.evidence.network import EvidenceInput, EvidenceNet
from vsodtool.models.inference.prepare import prepare
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.losses import region_loss, saliency_loss
from vsodtool.ops.sampling.sample_order import Key, SampleOrder
from vsodtool.pipelines.evidence.store import store_evidence
from vsodtool.pipelines.networks.load import load_network
from vsodtool.pipelines.networks.save import save_network
from vsodtool.pipelines.training.init import place
from vsodtool.pipelines.training.kinds import KINDS
from vsodtool.pipelines.training.state import Ema

SIDE, BATCH = 192, 8
GAPS = (5, 10, 20)
WARMUP, DECAY, EMA, CLIP = 50, 0.01, 0.998, 1.0
TEACHER, TRUTH = 4.0, 0.25  # shares of the two losses
SAVE_EVERY = 100
CPU = torch.device("cpu")


class _Shared(nn.Module):
    """The frozen backbone of both: what it saw of a batch for the teacher is kept for the student."""

    def __init__(self, backbone: EfficientNetLiteBackbone) -> None:
        super().__init__()
        self._backbone = [backbone]  # no part of the network that has it
        self.seen: list[tuple[Tensor, ...]] = []

    def shallow(self, images: Tensor) -> tuple[Tensor, ...]:
        """As `EfficientNetLiteBackbone.shallow`."""
        found = self._backbone[0].shallow(images)
        self.seen.append(found)
        return found


class _Again(nn.Module):
    def __init__(self, shared: _Shared) -> None:
        super().__init__()
        self._shared = [shared]

    def shallow(self, images: Tensor) -> tuple[Tensor, ...]:
        """What the teacher's backbone saw, call by call."""
        del images
        return tuple(level.float() for level in self._shared[0].seen.pop(0))


def dataset(data: Sequence[str], work: Path) -> EvidenceDataset:
    """Squares of recorded evidence, varied as in `train`."""
    found = load_training_data(DataSpec(data=tuple(data), validation_share=0.15), cache=work / "frames")
    print(f"set aside: {', '.join(video.name for video in found.validation)}", flush=True)
    files = store_evidence(
        found.train, GAPS, work / "evidence", lambda event: print(event.message, flush=True), still_seed=0
    )
    return EvidenceDataset(files, size=SIDE, augmentation=AUGMENTATION)


def batch_of(data: EvidenceDataset, keys: Sequence[Key]) -> tuple[EvidenceBatch, EvidenceInput]:
    """A batch, and what a network takes of it."""
    batch = collate_evidence([data[key] for key in keys])
    told = KINDS["densifier"].task.network_input(batch, Preprocessing())
    assert isinstance(told, EvidenceInput)
    return batch, told


def begin(teacher: EvidenceNet, data: EvidenceDataset, options: argparse.Namespace) -> EvidenceNet:
    """The student before training; kept in WORK."""
    file = options.work / "narrowed.safetensors"
    if not file.is_file():
        chosen = np.random.default_rng(1).permutation(len(data))[: options.squares]
        keys = [(0, int(index)) for index in chosen]
        batches = [batch_of(data, keys[at : at + BATCH])[1] for at in range(0, len(keys), BATCH)]
        student = narrowed(teacher, options.widths, batches, lambda text: print(text, flush=True))
        save_network(file, student, Preprocessing(size=SIDE))
    return load_network(str(file), ("densifier",)).network


def distil(
    teacher: EvidenceNet, student: EvidenceNet, data: EvidenceDataset, options: argparse.Namespace
) -> None:
    """Train the student, and write the running mean of its weights."""
    own = student.backbone
    ready = prepare(copy.deepcopy(teacher), CPU, torch.bfloat16)
    shared = _Shared(ready.backbone)
    ready.backbone = shared  # type: ignore[assignment]
    student.backbone = _Again(shared)  # type: ignore[assignment]
    place(student.eval().requires_grad_(True), CPU)
    ema = Ema(student, EMA)
    learned = list(student.parameters())
    optimizer = torch.optim.AdamW(learned, lr=options.learning_rate, weight_decay=DECAY)
    checkpoint, first = options.work / "checkpoint.pt", 0
    if checkpoint.is_file():
        content = torch.load(checkpoint, weights_only=True)
        student.load_state_dict(content["student"])
        ema.network.load_state_dict(content["ema"])
        optimizer.load_state_dict(content["optimizer"])
        first = content["step"]
    order = SampleOrder(len(data), 0)
    for step, keys in enumerate(order.parts(range(first, options.steps), batch=BATCH), first + 1):
        rate = options.learning_rate * min(1, step / WARMUP)
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 + math.cos(math.pi * (step - 1) / options.steps)) / 2
        batch, told = batch_of(data, keys)
        with torch.no_grad():
            wanted = ready(told).float().sigmoid()
        with torch.autocast("cpu", torch.bfloat16):
            said = student(told)
        said = said.float()
        apart = saliency_loss(said, wanted, batch.weights)
        off = region_loss(said, batch.truth, batch.weights)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(TEACHER * apart + TRUTH * off)
        nn.utils.clip_grad_norm_(learned, CLIP)
        optimizer.step()
        ema.update(student, step)
        if step % SAVE_EVERY == 0 or step == options.steps:
            least = saliency_loss(torch.logit(wanted, eps=1e-6), wanted, batch.weights)
            print(
                f"step {step}: {float(apart - least):.4f} from the teacher, {float(off):.4f} from the truth",
                flush=True,
            )
            torch.save(
                {
                    "student": student.state_dict(),
                    "ema": ema.network.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "step": step,
                },
                checkpoint,
            )
    trained = ema.network
    assert isinstance(trained, EvidenceNet)
    trained.backbone = own
    save_network(options.work / "student.safetensors", trained, Preprocessing(size=SIDE))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("--data", action="append", required=True)
    parser.add_argument("--teacher", default="densifier-small", help="a name or a file")
    parser.add_argument(
        "--widths",
        type=lambda text: tuple(map(int, text.split(","))),
        default=(16, 32, 64),
        help="fine to coarse",
    )
    parser.add_argument("--squares", type=int, default=48, help="that the narrowed layers are fitted to")
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    data = dataset(options.data, options.work)
    teacher = load_network(options.teacher, ("densifier",)).network.eval()
    distil(teacher, begin(teacher, data, options), data, options)


if __name__ == "__main__":
    main()
