"""`--adapt`: fine-tune the learned densifier on a video's own labels, each predicted from its neighbours."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from vsodtool.data.augmentation import AUGMENTATION
from vsodtool.data.batches import collate_evidence
from vsodtool.data.evidence.dataset import EvidenceDataset
from vsodtool.errors import WeightsError
from vsodtool.media.atomic import disk_errors
from vsodtool.media.weights.safetensors_files import read_safetensors
from vsodtool.models.backbones.frozen_bn import freeze_batch_norm
from vsodtool.models.evidence.network import EvidenceNet
from vsodtool.models.inference.precision import DTYPES, resolve_precision
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.ops.sampling.sample_order import SampleOrder, spread
from vsodtool.pipelines.densify.adapt import Learned
from vsodtool.pipelines.densify.choosing.hidden_labels import HiddenTest, TrialSchedule
from vsodtool.pipelines.densify.choosing.trial import stream_tests
from vsodtool.pipelines.densify.interval import SparseVideo
from vsodtool.pipelines.densify.methods.learned import own_method
from vsodtool.pipelines.densify.setup import Candidates
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.evidence.recorder import EvidenceRecorder, GuessMaker
from vsodtool.pipelines.training.batches import Batch
from vsodtool.pipelines.training.evidence import DENSIFIER_TASK
from vsodtool.pipelines.training.interrupt import StopRequest
from vsodtool.pipelines.training.loop import Loop, NotFiniteError
from vsodtool.pipelines.training.processes import World
from vsodtool.pipelines.training.run import Plan
from vsodtool.pipelines.training.state import TrainState
from vsodtool.pipelines.training.task import Forward
from vsodtool.types import Event, OnEvent

ADAPTED = "adapted"  # the name of the method
FEWEST, MOST = 2, 16  # labels that are learned from
SIZE, BATCH = 192, 4
LEARNING_RATE = 1e-4


@dataclass(frozen=True)
class Adaptation:
    """Gives each video one more candidate: the densifier fine-tuned on the labels of that video.

    Attributes:
        network: as loaded; it is copied.
        steps: of the optimizer.
        seed: of everything random.
    """

    network: EvidenceNet
    steps: int
    seed: int

    def learn(
        self,
        video: SparseVideo,
        schedule: TrialSchedule,
        candidates: Candidates,
        workers: Workers,
        on_event: OnEvent,
    ) -> Learned:
        """The candidates and the adapted one, unless there is nothing to learn from or to try it on."""
        name = video.source.video.name
        tests = plan_adaptation(video, schedule.tests) if schedule.tests else []
        if not tests:
            text = "not adapted: too few labels to learn from and to try it on"
            on_event(Event("notice", name, text))
            return Learned(candidates)
        on_event(Event("notice", name, f"learning from {len(tests)} of its labels"))
        maker = GuessMaker(candidates.estimators, candidates.rules)
        network = self.fine_tuned(video, tests, maker, workers)
        if network is None:
            on_event(Event("notice", name, "not adapted: nothing could be learned from its labels"))
            return Learned(candidates)
        weights = {key: value.detach().cpu().clone() for key, value in network.state_dict().items()}
        return Learned(self._beside(candidates, network), weights)

    def restore(self, candidates: Candidates, path: Path) -> Candidates:
        """The candidates and the one whose weights an earlier run kept.

        Raises:
            WeightsError: the file is damaged, or of another network.
        """
        network = copy.deepcopy(self.network)
        try:
            network.load_state_dict(read_safetensors(path)[0])
        except RuntimeError as error:
            raise WeightsError(
                f"{path}: expected weights of the network that was adapted, found others",
                "say --overwrite to start again",
            ) from error
        return self._beside(candidates, network.requires_grad_(False).eval())

    def _beside(self, candidates: Candidates, network: EvidenceNet) -> Candidates:
        device = candidates.estimators.device
        return candidates.beside(own_method(network, ADAPTED, candidates.quality, device))

    def fine_tuned(
        self, video: SparseVideo, tests: Sequence[HiddenTest], maker: GuessMaker, workers: Workers
    ) -> EvidenceNet | None:
        """Fine-tune a copy. The same arguments give the same weights on the same machine.

        Args:
            video: with its masks.
            tests: the labels to learn from, see `plan_adaptation`.
            maker: makes the first guesses.
            workers: do the work.

        Returns:
            None where none of the labels shows anything to learn from, or where it went wrong (not finite).
        """
        source, masks, place = video.source, video.masks, video.spill_folder
        with disk_errors(place), tempfile.TemporaryDirectory(dir=place, prefix=".adapt-") as name:
            recorder = EvidenceRecorder(
                source.video.name,
                maker,
                lambda index: masks.read(source.names[index]),
                maps=Path(name),
                frames=Path(name) / "frames",
                object_ids=masks.object_ids,
                named=source.names.__getitem__,
            )
            recorder.record(stream_tests(video, tests), workers)
            if not recorder.files:
                return None
            data = EvidenceDataset(recorder.files, size=SIZE, seed=self.seed, augmentation=AUGMENTATION)
            return fine_tune(
                self.network, data, steps=self.steps, seed=self.seed, device=maker.estimators.device
            )


def plan_adaptation(video: SparseVideo, tried: Sequence[HiddenTest]) -> list[HiddenTest]:
    """Labels to learn from: spread over the video, none of those that the methods are tried on.

    Returns:
        Ascending; empty where fewer than FEWEST are left.
    """
    index_of = {name: index for index, name in enumerate(video.source.names)}
    labels = [index_of[name] for name in video.masks.names]
    kept = {test.hidden for test in tried}
    tests = [
        HiddenTest(before, here, after)
        for before, here, after in zip(labels, labels[1:], labels[2:], strict=False)
        if here not in kept and video.shots.of(before) == video.shots.of(after)
    ]
    return [tests[number] for number in spread(len(tests), MOST)] if len(tests) >= FEWEST else []


def fine_tune(
    network: EvidenceNet, data: EvidenceDataset, *, steps: int, seed: int, device: torch.device
) -> EvidenceNet | None:
    """A copy of a network after some steps; the backbone and the statistics of batch norms stay.

    Returns:
        None where loss or gradient was no finite number.
    """
    tuned = copy.deepcopy(network).to(device)
    freeze_batch_norm(tuned)
    tuned.backbone.requires_grad_(False)
    learned = [parameter for parameter in tuned.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=LEARNING_RATE, weight_decay=0.0)
    plan = Plan(
        steps=steps,
        steps_per_epoch=steps,
        accumulate=1,
        learning_rate=LEARNING_RATE,
        warmup=0,
        schedule="constant",
        clip_gradient=1.0,
        precision=DTYPES[resolve_precision("auto", device)],
    )
    forward = Forward(DENSIFIER_TASK, Preprocessing(size=SIZE), plan.precision)
    loop = Loop(forward, TrainState(tuned, optimizer, None), plan, World(0, 1, device))
    keys = SampleOrder(len(data), seed).parts(range(steps), batch=BATCH)
    batches = (Batch(collate_evidence([data[key] for key in part]), []) for part in keys)
    with torch.inference_mode(False), torch.enable_grad():
        try:
            loop.run(batches, StopRequest(), lambda _: None)
        except NotFiniteError:
            return None
    return tuned.requires_grad_(False).eval()
