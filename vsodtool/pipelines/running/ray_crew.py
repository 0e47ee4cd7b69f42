"""Workers on Ray: actors of one core or one GPU each, on this machine or on a cluster."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from vsodtool.config import ShardedConfig
from vsodtool.errors import DataError, DeviceError, VsodtoolError
from vsodtool.media.output.earlier_run import OutputsOf
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import library_versions
from vsodtool.pipelines.running.dispatch import News
from vsodtool.pipelines.running.ray_cluster import Shares, connected, share_out
from vsodtool.pipelines.running.units import Assignment, Opener, Unit, Worker, begin_in
from vsodtool.pipelines.running.video_state import Message
from vsodtool.types import Event, OnEvent

_PAUSE = 0.5  # seconds for which news are waited for
_PATIENCE = 30.0  # seconds after which it is told that no worker has begun yet
_STARTS = 3  # workers in a row that may be lost before they have said hello


@dataclass(frozen=True)
class Plan:
    """What every worker of a run is told once. Can be pickled.

    Attributes:
        open: makes the bench.
        layout: where files go.
        outputs_of: the files that a finished frame has.
    """

    open: Opener
    layout: OutputLayout
    outputs_of: OutputsOf | None


class Actor:
    """A worker as Ray runs it, in a process of its own. It says hello before it is told anything."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._kept = ExitStack()

    def hello(self, folder: str, manifest: str, digest: str) -> dict[str, str]:
        """Begin in a folder.

        Args:
            folder: that the run was started in.
            manifest: path of that of the run.
            digest: of its content.

        Returns:
            Versions of what computes here, by name.

        Raises:
            DataError: that folder, or the output, is not to be seen from here.
        """
        begin_in(folder)
        path = Path(manifest)
        if not path.is_file() or sha256(path.read_bytes()).hexdigest() != digest:
            raise DataError(
                f"{path}: expected on {socket.gethostname()} what the machine that started the run wrote "
                "there, found another file or none",
                "put inputs and output on a disk that all machines of the cluster see, under the same path",
            )
        return {**versions(), "": socket.gethostname()}

    def work(self, plan: Plan, threads: int, given: Assignment[Any]) -> Iterator[list[Message]]:
        """Do a unit; what is made for the first one is kept for the others."""
        if self._worker is None:
            bench = self._kept.enter_context(plan.open(threads))
            self._worker = Worker(bench, plan.layout, plan.outputs_of)
        yield from self._worker.work(given)


def versions() -> dict[str, str]:
    """Of vsodtool and of what decodes and computes, by name."""
    from vsodtool import __version__

    return {"vsodtool": __version__, **library_versions()}


class RayCrew:
    """A `Crew` of actors."""

    def __init__(self, ray: Any, plan: Plan, shares: Shares, on_event: OnEvent) -> None:
        """Start them; a cluster may take its time.

        Args:
            ray: the module, connected.
            plan: what they are told.
            shares: how many, and what each has.
            on_event: hears that none has begun yet.
        """
        self._ray, self._on_event = ray, on_event
        self._size, self._cores = shares.workers, shares.cores
        needs = {"num_gpus": int(shares.gpu), "num_cpus": shares.cores}
        self._actor = ray.remote(Actor).options(max_restarts=0, **needs)
        self._plan = ray.put(plan)
        layout = plan.layout
        digest = sha256(layout.manifest.read_bytes()).hexdigest()
        self._hello = (str(Path.cwd()), str(layout.manifest), digest)
        self._starting: dict[Any, Any] = {}  # actors, by the references to their hello
        self._idle: list[Any] = []
        self._busy: dict[Any, tuple[Any, Unit[Any]]] = {}  # by the streams of what they tell
        self._failed_starts = 0
        self._began = time.monotonic()
        self._told = False
        for _ in range(self._size):
            self._start()

    @property
    def size(self) -> int:
        """How many actors there are, or will be."""
        return self._size

    @property
    def free(self) -> int:
        """How many have said hello and have nothing to do."""
        return len(self._idle)

    def hand_out(self, given: Assignment[Any]) -> None:
        """Give a unit to one of these."""
        actor = self._idle.pop()
        stream = actor.work.options(num_returns="streaming").remote(self._plan, self._cores, given)
        self._busy[stream] = (actor, given.unit)

    def news(self) -> list[News[Any]]:
        """What is heard within half a second.

        Raises:
            DeviceError: a worker has other versions, or none can be started.
            DataError: a worker does not see the output folder.
        """
        waiting = [*self._starting, *self._busy]
        ready, _ = self._ray.wait(waiting, num_returns=len(waiting), timeout=0, fetch_local=False)
        if not ready:
            ready, _ = self._ray.wait(waiting, num_returns=1, timeout=_PAUSE, fetch_local=False)
        news = [self._hear(each) for each in ready if each in self._busy]
        for each in ready:
            if each in self._starting:
                self._welcome(each)
        self._tell_waiting()
        return [each for each in news if each is not None]

    def close(self) -> None:
        """End all actors."""
        for actor in (*self._starting.values(), *self._idle, *(actor for actor, _ in self._busy.values())):
            self._ray.kill(actor)

    def _start(self) -> None:
        actor = self._actor.remote()
        self._starting[actor.hello.remote(*self._hello)] = actor

    def _welcome(self, reference: Any) -> None:
        actor = self._starting.pop(reference)
        try:
            found = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise _expected(error) from error
        except self._ray.exceptions.RayError as error:
            self._failed_starts += 1
            if self._failed_starts >= _STARTS:
                reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
                raise DeviceError(
                    f"workers on Ray cannot be started: {reason}",
                    "install the same vsodtool on all machines of the cluster; `ray status` says more",
                ) from error
            self._start()
            return
        _refuse_versions(found)
        self._failed_starts = 0
        self._idle.append(actor)

    def _hear(self, stream: Any) -> News[Any] | None:
        actor, unit = self._busy[stream]
        try:
            messages = self._ray.get(next(stream))
        except StopIteration:
            del self._busy[stream]
            self._idle.append(actor)
            return None
        except self._ray.exceptions.RayTaskError as error:
            raise _expected(error) from error
        except self._ray.exceptions.RayError:  # the process was killed, or its machine has gone
            del self._busy[stream]
            self._ray.kill(actor)
            self._start()
            return News(unit, None)
        return News(unit, messages)

    def _tell_waiting(self) -> None:
        waited = time.monotonic() - self._began
        if not self._told and waited > _PATIENCE and len(self._starting) == self._size:
            text = f"no worker has begun within {_PATIENCE:.0f} s; `ray status` says what the cluster lacks"
            self._on_event(Event("notice", message=text))
            self._told = True


@contextmanager
def ray_crew(config: ShardedConfig, plan: Plan, device: str, on_event: OnEvent) -> Iterator[RayCrew]:
    """Lend workers; a cluster that was started for them has gone after the block.

    Args:
        config: `workers` and `ray_address` count.
        plan: what the workers are told.
        device: kind of device that computes; with cuda each worker has one.
        on_event: hears of notices.

    Raises:
        UsageError: Ray is not installed.
        DeviceError: no cluster answers, or it has no GPU where one is asked for.
    """
    with connected(config) as ray:
        shares = share_out(ray.cluster_resources(), config.workers, device)
        on_event(Event("notice", message=f"Ray: {shares}"))
        crew = RayCrew(ray, plan, shares, on_event)
        try:
            yield crew
        finally:
            crew.close()


def _expected(error: Any) -> Exception:
    """What a worker raised: as it is if it is one of ours."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, VsodtoolError):
        return cause
    return RuntimeError(f"in a worker: {error}")


def _refuse_versions(found: dict[str, str]) -> None:
    host = found.pop("")
    own = versions()
    for name in sorted(own.keys() | found.keys()):
        there, here = found.get(name, "none"), own.get(name, "none")
        if there != here:
            raise DeviceError(
                f"{name}: expected {here} on {host}, as where the run was started, found {there}",
                "install the same versions on all machines of the cluster",
            )
