"""`--adapt`: fine-tune the learned densifier on a video's own labels, each predicted from its neighbours."""

from __future__ import annotations

import copy
import math
import tempfile
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import nn

from vsodtool.data.augmentation import AUGMENTATION
from vsodtool.data.evidence_batch import collate_evidence
from vsodtool.data.evidence_dataset import EvidenceDataset, EvidenceFile
from vsodtool.media.atomic import disk_errors
from vsodtool.media.frames import FrameSource
from vsodtool.media.masks import MaskSet
from vsodtool.models.evidence_architecture import DENSIFIER
from vsodtool.models.evidence_net import EvidenceNet
from vsodtool.models.frozen_bn import freeze_batch_norm
from vsodtool.models.precision import DTYPES, resolve_precision
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.ops.confidence import to_bytes
from vsodtool.ops.sample_order import SampleOrder, spread
from vsodtool.pipelines.densify import densify_interval
from vsodtool.pipelines.generator import Evidence, Generated, Generator
from vsodtool.pipelines.interval import IntervalJob, LabelledFrame, Workers
from vsodtool.pipelines.learned_evidence import object_maps
from vsodtool.pipelines.method_trial import HiddenTest, stream_tests
from vsodtool.pipelines.motion import MotionPlan
from vsodtool.pipelines.side_by_side import work_side_by_side
from vsodtool.pipelines.train_task import TASKS, as_clips, clip_loss

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
    plan: MotionPlan,
    rules: Generator,
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
        plan: the flow estimators.
        rules: make the first guess.
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
        recorder = _Recorder(Path(name), source, masks, rules)

        def record(job: IntervalJob) -> None:
            try:
                densify_interval(
                    job, plan, recorder, workers=workers, on_frame=lambda _: None, cancelled=failed.is_set
                )
            finally:
                job.frames.close()

        work_side_by_side(stream_tests(tests, source, masks, spill_folder), record, drivers, failed)
        files = sorted(recorder.files, key=lambda file: file.maps.name)
        if not files:
            return None
        data = EvidenceDataset(files, size=SIZE, seed=seed, augmentation=AUGMENTATION)
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
            target = task.target(batch)
            with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
                output = tuned(task.network_input(batch, preprocessing))
            loss = clip_loss(task, as_clips(output, target), target)
            if not math.isfinite(float(loss.detach())):
                return None
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(learned, 1.0)
            optimizer.step()
    return tuned.requires_grad_(False).eval()


class _Recorder:
    """A generator that puts aside what it is shown, object by object."""

    name = "recorder"
    whole_frames = False

    def __init__(self, folder: Path, source: FrameSource, masks: MaskSet, rules: Generator) -> None:
        self.files: list[EvidenceFile] = []
        self._folder, self._source, self._masks = folder, source, masks
        self._rules = rules
        self._lock = threading.Lock()

    def generate(self, evidence: Evidence) -> Generated:
        before, after = evidence.sides
        name = self._source.names[evidence.index]
        truth = self._masks.read(name)
        guess = self._rules.generate(evidence)
        for number, present in enumerate(evidence.present):
            if not present:
                continue
            stem = f"{evidence.index:06d}-{number:03d}"
            label = truth == self._masks.object_ids[number]
            parts = {
                "maps": to_bytes(object_maps(evidence, number, guess.labels))[0].numpy(),
                "hidden": _with_label(evidence.rgb, label),
                "before": _known(before.known, number),
                "after": _known(after.known, number),
            }
            for part, values in parts.items():
                np.save(self._folder / f"{stem}-{part}.npy", values)
            file = EvidenceFile(
                video=self._source.video.name,
                name=name,
                maps=self._folder / f"{stem}-maps.npy",
                origin=evidence.box.origin,
                before=self._folder / f"{stem}-before.npy",
                hidden=self._folder / f"{stem}-hidden.npy",
                after=self._folder / f"{stem}-after.npy",
                distances=(before.distance, after.distance),
            )
            with self._lock:
                self.files.append(file)
        return guess


def _known(known: LabelledFrame, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return _with_label(known.rgb, known.labels[0, number].numpy() > 0)


def _with_label(
    rgb: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], label: Iterable[bool]
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """uint8 (4, H, W), as `EvidenceFile` wants labelled frames."""
    return np.concatenate([rgb.transpose(2, 0, 1), np.asarray(label, np.uint8)[None] * np.uint8(255)])
