"""`vsodtool train`: labelled images or videos -> weights.

RUN/config.yaml, manifest.json, log.jsonl, last.pt (to continue from), best.safetensors and final.safetensors
(to use), sheets/epoch-*.png.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from vsodtool.checks import resolve_workers
from vsodtool.config import TrainConfig
from vsodtool.media.atomic import disk_errors, remove_leftovers
from vsodtool.media.output.layout import check_output
from vsodtool.media.output.lock import OutputLock
from vsodtool.media.output.manifest import COMPLETE, write_manifest
from vsodtool.media.training_run.folder import RunFolder, read_checkpoint
from vsodtool.ops.sampling.sample_order import SampleOrder
from vsodtool.pipelines.running.process import keep_freed_memory
from vsodtool.pipelines.training.batches import read_batches
from vsodtool.pipelines.training.init import StartNetwork, preprocessing_of, start_network
from vsodtool.pipelines.training.interrupt import stop_requests
from vsodtool.pipelines.training.loop import Loop, Plan
from vsodtool.pipelines.training.processes import World, join_world
from vsodtool.pipelines.training.recorder import Recorder
from vsodtool.pipelines.training.report import TrainReport
from vsodtool.pipelines.training.run import begin, check_batch, describe, is_begun, keep_manifest
from vsodtool.pipelines.training.setup import Datasets, make_plan, open_datasets, place, reader_processes
from vsodtool.pipelines.training.state import TrainState, create_state
from vsodtool.pipelines.training.task import task_of
from vsodtool.pipelines.training.validate import Validator
from vsodtool.types import Event, OnEvent, ignore_event


def run_train(
    config: TrainConfig, *, datasets: Datasets | None = None, on_event: OnEvent = ignore_event
) -> TrainReport:
    """Train a network, or continue a training.

    The same run again continues from its last checkpoint and, on the same machine, ends with the same weights
    as one that was never interrupted. Started by torchrun, it is one of several processes that share the
    work.

    Args:
        config: what to do.
        datasets: used instead of those that `config.data` names.
        on_event: hears of progress and notices, in the first process only.

    Raises:
        UsageError: the folder cannot be used or was begun with other options; the loss is not finite.
        DataError: data are missing, unreadable, do not belong, or changed since the run began.
        WeightsError: weights to start from cannot be had, or are of another architecture.
        DeviceError: the device does not exist, the disk refuses, or another process of the run has gone.
        KeyboardInterrupt: the run was asked to stop (SIGINT, SIGTERM), and is saved.
    """
    folder = RunFolder(config.output)
    check_output(config.output, [Path(text) for text in config.data if Path(text).is_dir()], None)
    with join_world(config.device) as world:
        tell = on_event if world.is_main else ignore_event
        continued = all(world.gather(is_begun(config, folder)))
        with world.main_first():
            data = datasets or open_datasets(config, folder, tell)
        for line in data.notices:
            tell(Event("notice", message=line))
        return _Run(config, folder, world, data, make_plan(config, len(data.train), world), tell).run(
            continued=continued
        )


@dataclass(frozen=True)
class _Run:
    """Everything that is known before the network is built."""

    config: TrainConfig
    folder: RunFolder
    world: World
    data: Datasets
    plan: Plan
    on_event: OnEvent

    def run(self, *, continued: bool) -> TrainReport:
        config, world = self.config, self.world
        start = start_network(config, self.on_event, load=not continued)
        parameters = sum(parameter.numel() for parameter in start.network.parameters())
        self._say(f"{start.network.architecture}, {parameters / 1e6:.1f} M parameters, on {world.device}")
        self._say(
            f"{self.plan.steps} steps in {config.epochs} epochs; {config.batch_size} x {config.accumulate} x "
            f"{world.size} samples per step; {str(self.plan.precision).removeprefix('torch.')}"
        )
        report = TrainReport(
            config.kind,
            config.output,
            self.folder.best,
            parameters=parameters,
            best_by=config.best_by,
            is_main=world.is_main,
        )
        if config.dry_run:
            self._say(f"would write to {config.output}")
            return replace(report, dry_run=True)
        with self._owned(start, continued=continued):
            place(start.network, world.device)
            state = create_state(config, start.network)
            if continued:
                self._restore(state)
            return self._train(start, state, report)

    def _train(self, start: StartNetwork, state: TrainState, report: TrainReport) -> TrainReport:
        config, world, plan = self.config, self.world, self.plan
        keep_freed_memory()
        task, preprocessing = task_of(config), preprocessing_of(config)
        workers = reader_processes(config, world, resolve_workers(0))
        with ExitStack() as stack:
            stop = stack.enter_context(stop_requests())
            validator = Validator(
                task,
                self.data.validation,
                preprocessing,
                world,
                batch_size=config.batch_size,
                workers=workers,
                samples=config.validation_samples,
                pictures=config.sheet_rows,
                precision=plan.precision,
            )
            recorder = stack.enter_context(
                closing(
                    Recorder(
                        config,
                        self.folder,
                        state,
                        plan=plan,
                        validator=validator,
                        preprocessing=preprocessing,
                        world=world,
                        stop=stop,
                        on_event=self.on_event,
                    )
                )
            )
            recorder.begin()
            keys = SampleOrder(len(self.data.train), config.seed).parts(
                range(state.step, plan.steps),
                batch=config.batch_size,
                accumulate=config.accumulate,
                rank=world.rank,
                ranks=world.size,
            )
            batches = read_batches(
                self.data.train, keys, task.collate, seed=config.seed, workers=workers, device=world.device
            )
            stack.enter_context(closing(batches))
            loop = Loop(task, state, start.dropouts, preprocessing=preprocessing, plan=plan, world=world)
            if not loop.run(batches, stop, recorder.after_step):
                recorder.save()
                raise KeyboardInterrupt
            recorder.finish()
            return replace(
                report,
                steps=state.step,
                epochs=state.step // plan.steps_per_epoch,
                best_step=state.best_step,
                best_score=state.best_score,
                scores=state.scores,
                seconds=state.seconds,
            )

    @contextmanager
    def _owned(self, start: StartNetwork, *, continued: bool) -> Iterator[None]:
        """Hold the folder, with its options and its manifest, while the run writes there."""
        if not self.world.is_main:
            yield
            return
        with disk_errors(self.folder.root):
            self.folder.root.mkdir(parents=True, exist_ok=True)
        with _released(OutputLock(self.folder.lock)):
            if not continued:
                begin(self.config, self.folder)
            remove_leftovers(self.folder.root, recursive=False)
            files = len(self.data.train)
            manifest = describe(self.config, self.data.fingerprint, files, start.weights)
            manifest = keep_manifest(self.folder, manifest, continued=continued)
            yield
            write_manifest(self.folder.manifest, replace(manifest, status=COMPLETE))

    def _restore(self, state: TrainState) -> None:
        content = read_checkpoint(self.folder.last)
        per_step = self.config.batch_size * self.config.accumulate * self.world.size
        check_batch(content, per_step)
        state.restore(content, str(self.folder.last))
        text = f"continuing at step {state.step} of {self.plan.steps}"
        if state.step >= self.plan.steps:
            text = "an earlier run finished all of this: nothing left to do"
        self._say(text)

    def _say(self, text: str) -> None:
        self.on_event(Event("notice", message=text))


@contextmanager
def _released(lock: OutputLock) -> Iterator[None]:
    try:
        yield
    finally:
        lock.release()
