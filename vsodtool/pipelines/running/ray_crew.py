"""Workers on Ray: actors of one core or one GPU each, on this machine or on a cluster."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from vsodtool.checks import resolve_workers
from vsodtool.config import ShardedConfig
from vsodtool.config.base import AUTO_ADDRESS
from vsodtool.errors import DataError, DeviceError, UsageError, VsodtoolError
from vsodtool.media.output.earlier_run import OutputsOf
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import library_versions
from vsodtool.pipelines.running.dispatch import News
from vsodtool.pipelines.running.units import Assignment, Opener, Unit, Worker, begin_in
from vsodtool.pipelines.running.video_state import Message
from vsodtool.types import Event, OnEvent

_REACHED_IN = 5.0  # seconds for a connection to a cluster, and for its answer
_PAUSE = 0.5  # seconds for which news are waited for
_PATIENCE = 30.0  # seconds after which it is told that no worker has begun yet
_STORE = 100 * 2**20  # bytes: what is sent is small
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


@dataclass(frozen=True)
class Shares:
    """What the workers have.

    Attributes:
        workers: how many there are.
        cores: of each.
        gpu: each has one.
    """

    workers: int
    cores: int
    gpu: bool

    def __str__(self) -> str:
        workers = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        return f"{workers} of {cores}{' and a GPU' if self.gpu else ''} each"


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
    ray = load_ray()
    with _silent(ray), _connected(ray, config):
        shares = share_out(ray.cluster_resources(), config.workers, device)
        on_event(Event("notice", message=f"Ray: {shares}"))
        crew = RayCrew(ray, plan, shares, on_event)
        try:
            yield crew
        finally:
            crew.close()


def load_ray() -> Any:
    """The module.

    Raises:
        UsageError: it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told that it is used
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # says so at every start otherwise
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            "--engine ray needs Ray, which is not installed", "pip install 'vsodtool[ray]'"
        ) from error
    return ray


@contextmanager
def _silent(ray: Any) -> Iterator[None]:
    """Without what Ray itself says of a lost worker, at length and on stdout, where only data belongs."""
    worker, logger = ray._private.worker, logging.getLogger("ray")
    before, level = getattr(worker, "_worker_logs_enabled", True), logger.level
    worker._worker_logs_enabled = False  # no public switch concerns these lines
    logger.setLevel(logging.ERROR)
    try:
        with redirect_stdout(sys.stderr):  # should another version name the switch otherwise
            yield
    finally:
        worker._worker_logs_enabled = before
        logger.setLevel(level)


@contextmanager
def _connected(ray: Any, config: ShardedConfig) -> Iterator[None]:
    if ray.is_initialized():  # by the program that calls this, which also ends it
        yield
        return
    address = config.ray_address
    local: dict[str, Any] = {}
    if not address:
        local = {
            "num_cpus": resolve_workers(config.workers),
            "object_store_memory": _STORE,
            "include_dashboard": False,
        }
    try:
        ray.init(address=address or "local", log_to_driver=False, configure_logging=False, **local)
    except Exception as error:  # what Ray raises where its own processes do not answer
        raise (
            _no_cluster(address, error)
            if address
            else DeviceError(f"Ray does not start: {_first_line(error)}", "work without it: --engine process")
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def check_cluster(config: ShardedConfig) -> None:
    """Refuse an address where no cluster answers, before anything else is done.

    Raises:
        UsageError: Ray is not installed.
        DeviceError: nothing answers there within seconds, or something else than Ray.
    """
    ray = load_ray()
    address = config.ray_address
    if not address:
        return
    try:
        if address == AUTO_ADDRESS:
            address = ray._private.services.canonicalize_bootstrap_address(address)  # as `ray.init` does
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port)), _REACHED_IN) as connection:
            if not os.environ.get("RAY_USE_TLS") and not _speaks_http2(connection):
                raise ConnectionError("something else than Ray answers there")
    except (OSError, OverflowError, ValueError) as error:  # of which ConnectionError is one
        raise _no_cluster(config.ray_address, error) from error


def _speaks_http2(connection: socket.socket) -> bool:
    """Whether a server answers with settings (RFC 9113, 3.4), as Ray's does: else Ray waits for minutes."""
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
    head = connection.recv(9)
    return len(head) == 9 and head[3] == 4


def _no_cluster(address: str, error: Exception) -> DeviceError:
    return DeviceError(
        f"no Ray cluster at '{address}': {_first_line(error)}",
        "start one with `ray start --head`, or leave out --ray-address for a local one",
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def share_out(there: Mapping[str, float], workers: int, device: str) -> Shares:
    """What each worker gets of a cluster; 0 workers are as many as it has GPUs, or cores.

    Raises:
        DeviceError: it has no GPU where one is asked for.
    """
    gpus, cores = int(there.get("GPU", 0)), max(1, int(there.get("CPU", 0)))
    if device != "cuda":
        return Shares(workers or cores, 1, gpu=False)
    if not gpus:
        raise DeviceError("the Ray cluster has no GPU", "choose --device cpu")
    return Shares(workers or gpus, max(1, cores // gpus), gpu=True)


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
