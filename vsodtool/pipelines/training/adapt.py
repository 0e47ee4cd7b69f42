"""`--adapt`: fine-tune the learned densifier on a video's own labels, each predicted from its neighbours."""

from __future__ import annotations

import copy
import math
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import nn

from vsodtool.data.augmentation import AUGMENTATION
from vsodtool.data.evidence.batch import collate_evidence
from vsodtool.data.evidence.dataset import EvidenceDataset
from vsodtool.media.atomic import disk_errors
from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.video.frames import FrameSource
from vsodtool.models.backbones.frozen_bn import freeze_batch_norm
from vsodtool.models.evidence.architecture import DENSIFIER
from vsodtool.models.evidence.network import EvidenceNet
from vsodtool.models.inference.precision import DTYPES, resolve_precision
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.ops.sampling.sample_order import SampleOrder, spread
from vsodtool.pipelines.densify.hidden_labels import HiddenTest
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.side_by_side import Workers, work_side_by_side
from vsodtool.pipelines.densify.trial import stream_tests
from vsodtool.pipelines.evidence.recorder import EvidenceRecorder, GuessMaker
from vsodtool.pipelines.training.task import TASKS, clip_loss, forward

FEWEST, MOST = 2, 16  # labels that are learned from
SIZE, BATCH = 192, 4
LEARNING_RATE = 1e-4


def plan_adaptation(source: FrameSource, masks: MaskSet, tried: Sequence[HiddenTest]) -> list[HiddenTest]:
    """Labels to learn from: spread over the video, none of those that the methods are tried on.

    Returns:
        Ascending; empty where fewer than FEWEST are left.
    """
    index_of = {name: index for index, name in enumerate(source.names)}
    labels = [index_of[name] for name in masks.names]
    kept = {test.hidden for test in tried}
    tests = [
        HiddenTest(before, here, after)
        for before, here, after in zip(labels, labels[1:], labels[2:], strict=False)
        if here not in kept
    ]
    return [tests[number] for number in spread(len(tests), MOST)] if len(tests) >= FEWEST else []


def adapt_network(
    network: EvidenceNet,
    tests: Sequence[HiddenTest],
    source: FrameSource,
    masks: MaskSet,
    *,
    maker: GuessMaker,
    steps: int,
    seed: int,
    device: torch.device,
    spill_folder: Path,
    workers: Workers,
    drivers: ThreadPoolExecutor,
    failed: threading.Event,
) -> EvidenceNet | None:
    """Fine-tune a copy. The same arguments give the same weights on the same machine.

    Args:
        network: as loaded; not changed.
        tests: the labels to learn from, see `plan_adaptation`.
        source: the video.
        masks: its masks.
        maker: makes the first guesses.
        steps: of the optimizer.
        seed: of everything random.
        device: that computes.
        spill_folder: where evidence is put aside meanwhile.
        workers: do the heavy pieces.
        drivers: each drives one interval.
        failed: set after a failure, which is raised.

    Returns:
        None where none of the labels shows anything to learn from, or where it went wrong (not finite).
    """
    with disk_errors(spill_folder), tempfile.TemporaryDirectory(dir=spill_folder, prefix=".adapt-") as name:
        recorder = EvidenceRecorder(
            source.video.name,
            maker,
            lambda index: masks.read(source.names[index]),
            maps=Path(name),
            frames=Path(name) / "frames",
            object_ids=masks.object_ids,
            named=source.names.__getitem__,
        )

        def record(job: Interval) -> None:
            recorder.record(job, workers, cancelled=failed.is_set)

        work_side_by_side(stream_tests(tests, source, masks, spill_folder), record, drivers, failed)
        if not recorder.files:
            return None
        data = EvidenceDataset(recorder.files, size=SIZE, seed=seed, augmentation=AUGMENTATION)
        return fine_tune(network, data, steps=steps, seed=seed, device=device)


def fine_tune(
    network: EvidenceNet, data: EvidenceDataset, *, steps: int, seed: int, device: torch.device
) -> EvidenceNet | None:
    """A copy of a network after some steps; the backbone and the statistics of batch norms stay.

    Returns:
        None where the loss was no finite number.
    """
    tuned = copy.deepcopy(network).to(device)
    freeze_batch_norm(tuned)
    tuned.backbone.requires_grad_(False)
    learned = [parameter for parameter in tuned.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=LEARNING_RATE, weight_decay=0.0)
    task, preprocessing = TASKS[DENSIFIER], Preprocessing(size=SIZE)
    dtype = DTYPES[resolve_precision("auto", device)]
    with torch.inference_mode(False), torch.enable_grad():
        for keys in SampleOrder(len(data), seed).parts(range(steps), batch=BATCH):
            batch = collate_evidence([data[key] for key in keys]).to(device)
            logits, target = forward(task, tuned, batch, preprocessing=preprocessing, precision=dtype)
            loss = clip_loss(task, logits, target)
            if not math.isfinite(float(loss.detach())):
                return None
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(learned, 1.0)
            optimizer.step()
    return tuned.requires_grad_(False).eval()
