"""Who does the work of a run: a line of `ENGINES` for each value of `--engine`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from vsodtool.config import ShardedConfig
from vsodtool.errors import DataError
from vsodtool.media.output.earlier_run import OutputsOf
from vsodtool.media.output.run_state import ResumeState
from vsodtool.pipelines.running.dispatch import Dispatch
from vsodtool.pipelines.running.reports import Result
from vsodtool.pipelines.running.units import Bench, Opener, T
from vsodtool.types import Event, OnEvent


@dataclass(frozen=True)
class Job(Generic[T]):
    """The work of a run.

    Attributes:
        tasks: the videos, in order.
        bench: what works on them in this process.
        open: makes the same elsewhere.
        device: kind of device that computes: cpu, cuda or mps.
        outputs_of: the files that a finished frame has; None where frames have none of their own.
    """

    tasks: Sequence[T]
    bench: Bench[T]
    open: Opener
    device: str
    outputs_of: OutputsOf | None = None


def _in_process(config: ShardedConfig, job: Job[Any], state: ResumeState, on_event: OnEvent) -> Result:
    """One video after the other."""
    del config
    result = Result()
    for task in job.tasks:
        try:
            result.outcomes[task.name] = job.bench.make(task, state, on_event)
        except DataError as error:  # the others are none the worse for it
            result.refuse(task.name, error, on_event)
            on_event(Event("done", task.name))
    return result


def _on_ray(config: ShardedConfig, job: Job[Any], state: ResumeState, on_event: OnEvent) -> Result:
    """Side by side."""
    from vsodtool.pipelines.running.ray_crew import Plan, ray_crew

    plan = Plan(job.open, state.layout, job.outputs_of)
    with ray_crew(config, plan, job.device, on_event) as crew:
        return Dispatch(job.tasks, crew, state, on_event).run()


def _check_ray(config: ShardedConfig) -> None:
    from vsodtool.pipelines.running.ray_cluster import check_cluster

    check_cluster(config)


@dataclass(frozen=True)
class Engine:
    """A line of the table.

    Attributes:
        check: refuses what it lacks, before anything is planned.
        work: does a job; the result has every task, made or failed. A video that is refused does not end it,
            what concerns all videos does.
    """

    check: Callable[[ShardedConfig], None]
    work: Callable[[ShardedConfig, Job[Any], ResumeState, OnEvent], Result]


ENGINES: Mapping[str, Engine] = {
    "process": Engine(lambda _: None, _in_process),
    "ray": Engine(_check_ray, _on_ray),
}
