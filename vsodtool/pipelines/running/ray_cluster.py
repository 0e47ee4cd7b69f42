"""A Ray cluster, on this machine or elsewhere: connecting to it, and what each worker gets of it."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

from vsodtool.checks import resolve_workers
from vsodtool.config import ShardedConfig
from vsodtool.config.base import AUTO_ADDRESS
from vsodtool.errors import DeviceError, UsageError

_REACHED_IN = 5.0  # seconds for a connection to a cluster, and for its answer
_STORE = 100 * 2**20  # bytes: what is sent is small


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
def connected(config: ShardedConfig) -> Iterator[Any]:
    """Lend the module, connected; a cluster that was started for it has gone after the block.

    Args:
        config: `workers` and `ray_address` count.

    Raises:
        UsageError: Ray is not installed.
        DeviceError: no cluster answers, or it does not start.
    """
    ray = load_ray()
    with _silent(ray), _joined(ray, config):
        yield ray


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
def _joined(ray: Any, config: ShardedConfig) -> Iterator[None]:
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


def _no_cluster(address: str, error: Exception) -> DeviceError:
    return DeviceError(
        f"no Ray cluster at '{address}': {_first_line(error)}",
        "start one with `ray start --head`, or leave out --ray-address for a local one",
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
