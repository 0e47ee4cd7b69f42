"""`vsodtool train`: labelled images or videos -> weights.

RUN/config.yaml, manifest.json, log.jsonl, report.json, last.pt (to continue from), best.safetensors and
final.safetensors (to use), sheets/epoch-*.png.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vsodtool.checks import resolve_workers
from vsodtool.config import TrainConfig
from vsodtool.data.sources.source_text import parse_source, places_of
from vsodtool.errors import ConfigError, WeightsError
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.output.layout import check_output
from vsodtool.media.training_run.folder import RunFolder, read_checkpoint
from vsodtool.media.training_run.log import read_log
from vsodtool.media.weights.files import read_weights
from vsodtool.models.weights.networks import AnyArchitecture, read_architecture
from vsodtool.pipelines.running.process import keep_freed_memory
from vsodtool.pipelines.running.staging.urls import with_urls
from vsodtool.pipelines.training.batches import reader_processes
from vsodtool.pipelines.training.datasets import Datasets
from vsodtool.pipelines.training.frozen import Memory
from vsodtool.pipelines.training.init import StartNetwork, place, start_network
from vsodtool.pipelines.training.interrupt import stop_requests
from vsodtool.pipelines.training.judging.validate import Validator
from vsodtool.pipelines.training.kinds import open_datasets
from vsodtool.pipelines.training.processes import join_world
from vsodtool.pipelines.training.recorder import Recorder
from vsodtool.pipelines.training.run import Plan, Training, check_batch, check_data, is_begun
from vsodtool.pipelines.training.state import TrainState, create_state
from vsodtool.pipelines.training.steps import forward_of, open_steps, seconds_of_step
from vsodtool.types import Event, OnEvent, ignore_event


@dataclass(frozen=True)
class TrainReport:
    """The outcome of a run.

    Attributes:
        kind: of training.
        output: the folder of the run.
        weights: the file to use, with the best weights.
        training_samples: clips (images, triplets) to learn from.
        validation_samples: and to be judged on.
        start: where the weights come from that it begins with.
        steps: steps done, over all runs; in a dry run those to do.
        epochs: validations done; in a dry run those to do.
        best_step: the step of the best weights; 0 if that is what the run began with.
        best_by: the name of that score.
        best_score: their validation score.
        scope: what the scores speak for.
        start_scores: of the weights that it began with; none if they were no whole network.
        gain: by how much the best after training is better than the start by `best_by`, negative if worse.
        noise: how much of that hangs on which frames validate; None if nothing tells.
        paid: whether it is better by more than that; None without a start to compare with.
        scores: of the last validation.
        parameters: number of parameters of the network.
        seconds: of training, over all runs; in a dry run about what is to come, 0 if that is not known.
        is_main: whether this process is the one that speaks for the run.
        dry_run: nothing was done; there are no scores.
    """

    kind: str
    output: Path
    weights: Path
    training_samples: int = 0
    validation_samples: int = 0
    start: str = ""
    steps: int = 0
    epochs: int = 0
    best_step: int = -1
    best_by: str = ""
    best_score: float | None = None
    scope: str = ""
    start_scores: dict[str, float] = field(default_factory=dict)
    gain: float | None = None
    noise: float | None = None
    paid: bool | None = None
    scores: dict[str, float] = field(default_factory=dict)
    parameters: int = 0
    seconds: float = 0.0
    is_main: bool = True
    dry_run: bool = False

    def as_dict(self) -> dict[str, Any]:
        """In JSON types."""
        values = asdict(self)
        del values["is_main"]
        return {**values, "output": str(self.output), "weights": str(self.weights)}


@with_urls
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
    sources = () if datasets else (*config.data, *config.validation)
    with join_world(config.device) as world, _cache(config, folder) as cache:
        check_output(config.output, [place for text in sources for place in places_of(parse_source(text))])
        tell = on_event if world.is_main else ignore_event
        continued = all(world.gather(is_begun(config, folder)))
        with world.main_first():
            data = datasets or open_datasets(config, folder, tell, cache=cache)
        for line in data.notices:
            tell(Event("notice", message=line))
        plan = Plan.of(config, len(data.train), world)
        return _run(Training(config, folder, world, data, plan, tell), continued=continued)


@contextmanager
def _cache(config: TrainConfig, folder: RunFolder) -> Iterator[Path]:
    """Where frames of video files go: into the run; of a dry run, which writes nothing, where it is lost."""
    if not config.dry_run:
        yield folder.frames
        return
    with TemporaryDirectory(prefix="vsodtool-frames-") as lost:
        yield Path(lost)


def _run(training: Training, *, continued: bool) -> TrainReport:
    config, world, plan = training.config, training.world, training.plan
    checkpoint = read_checkpoint(training.folder.last) if continued else {}
    begun = _architecture(checkpoint)
    start = start_network(config, training.on_event, load=not continued, begun=begun)
    parameters = sum(parameter.numel() for parameter in start.network.parameters())
    training.say(f"{start.network.architecture}, {parameters / 1e6:.1f} M parameters, on {world.device}")
    training.say(
        f"{plan} in {config.epochs} epochs; {config.batch_size} x {config.accumulate} x "
        f"{world.size} samples per step; {str(plan.precision).removeprefix('torch.')}"
    )
    whole = len(training.data.validation)
    report = TrainReport(
        config.kind,
        config.output,
        training.folder.best,
        training_samples=len(training.data.train),
        validation_samples=min(config.validation_samples or whole, whole),
        start="the last checkpoint of this run" if continued else config.init,
        parameters=parameters,
        best_by=config.best_by,
        scope=str(training.data.scope),
        is_main=world.is_main,
    )
    if config.dry_run:
        if continued:
            check_data(training.folder, training.data.fingerprint)
            check_batch(checkpoint, training.samples_per_step)
            _check_best(training.folder, checkpoint.get("best_step"))
        done = checkpoint.get("step", 0)
        seconds = _estimate(training, start, steps=plan.steps - (done if isinstance(done, int) else 0))
        training.tell_cleared("would delete")
        training.say(f"would write to {config.output}")
        return replace(report, dry_run=True, steps=plan.steps, epochs=config.epochs, seconds=seconds)
    with training.owned(start.weights, continued=continued):
        place(start.network, world.device)
        state = create_state(config, start.network, videos=training.data.videos)
        if state.blend < 1:
            training.say(f"of what training changes {state.blend:.0%} is kept (--blend)")
        state.whole = start.whole
        if continued:
            _restore(training, state, checkpoint)
        _train(training, start, state)
        report = _with_outcome(report, state)
        if world.is_main:
            _write(report, training.folder)
    return report


def _estimate(training: Training, start: StartNetwork, *, steps: int) -> float:
    """About how many seconds so many steps would take, validations not counted; 0 if that is not known."""
    if training.plan.seconds:
        return training.plan.seconds
    if training.config.kind == "densifier" or training.world.is_parallel or steps <= 0:
        return 0.0  # whose samples are to be recorded first; whose processes share the cores in their own way
    each = seconds_of_step(training, start)
    whole = each * steps
    about = f"{whole:.0f} s" if whole < 120 else f"{whole / 60:.0f} min"
    training.say(f"about {about} and the validations: a step took {each:.2g} s")
    return round(whole, 1)


def _with_outcome(report: TrainReport, state: TrainState) -> TrainReport:
    nearest = state.nearest
    compared = None if nearest is None else nearest.as_dict()
    return replace(
        report,
        steps=state.step,
        epochs=state.epoch,
        best_step=state.best_step,
        best_score=state.best_score,
        start_scores={} if state.start is None else dict(state.start.scores),
        gain=None if compared is None else compared["gain"],
        noise=None if compared is None else compared["noise"],
        paid=None if nearest is None else state.best_step > 0,
        scores=state.scores,
        seconds=state.seconds,
    )


def _write(report: TrainReport, folder: RunFolder) -> None:
    """report.json: the report, and each validation of the log; of one that was done again the last."""
    curve = {
        record.get("step", 0): record for record in read_log(folder.log) if record["event"] == "validation"
    }
    content = {**report.as_dict(), "curve": list(curve.values())}
    write_bytes_atomically(folder.report, f"{json.dumps(content, indent=1)}\n".encode())


def _architecture(checkpoint: dict[str, Any]) -> AnyArchitecture | None:
    """What a checkpoint is of; None where it does not say, which `TrainState.restore` refuses."""
    try:
        return read_architecture(checkpoint["architecture"])
    except (ConfigError, LookupError, TypeError, AttributeError):
        return None


def _check_best(folder: RunFolder, step: object) -> None:
    """Require the best weights so far, which only a better validation would write again.

    Raises:
        WeightsError: they are gone or damaged.
    """
    if not isinstance(step, int) or step < 0:  # not validated yet
        return
    hint = "put an intact copy there, choose another -o, or start anew with --overwrite"
    if not folder.best.is_file():
        raise WeightsError(f"{folder.best}: expected the weights of step {step}, found nothing", hint)
    try:
        read_weights(folder.best)
    except WeightsError as error:
        raise WeightsError(error.message, hint) from error


def _restore(training: Training, state: TrainState, content: dict[str, Any]) -> None:
    last = training.folder.last
    check_batch(content, training.samples_per_step)
    state.restore(content, str(last))
    _check_best(training.folder, state.best_step)
    plan = training.plan
    if plan.steps and state.step > plan.steps:
        raise WeightsError(
            f"{last}: expected at most {plan.steps} steps, found {state.step}",
            "start the run again with --overwrite, or put an intact copy there",
        )
    text = f"continuing at step {state.step} of {plan}"
    if state.share(plan) >= 1:
        text = "an earlier run finished all of this: nothing left to do"
    training.say(text)


def _train(training: Training, start: StartNetwork, state: TrainState) -> None:
    config, world, plan = training.config, training.world, training.plan
    keep_freed_memory()
    workers = reader_processes(config.workers, world, resolve_workers(0))
    with ExitStack() as stack:
        text = "asked to stop: this step is finished and saved first; asked again, it ends at once, unsaved"
        stop = stack.enter_context(stop_requests(lambda: training.on_event(Event("warning", message=text))))
        validator = Validator(
            forward_of(training),
            training.data.validation,
            world,
            batch_size=config.batch_size,
            workers=workers,
            samples=config.validation_samples,
            pictures=config.sheet_rows,
            memory=Memory() if config.freeze_encoder else None,
        )
        recorder = stack.enter_context(closing(Recorder(training, state, validator, stop)))
        recorder.begin()
        loop, batches = stack.enter_context(open_steps(training, start, state, plan, workers=workers))
        if plan.seconds:
            ends = datetime.now() + timedelta(seconds=plan.seconds - state.seconds)
            training.say(f"training until about {ends:%H:%M:%S}")
        asked = stop.asked and not world.is_parallel  # before the first step; several processes must agree
        if asked or not loop.run(batches, stop, recorder.after_step):
            recorder.save()
            raise KeyboardInterrupt
        recorder.finish()
