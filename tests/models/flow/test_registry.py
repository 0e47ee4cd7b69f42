from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from vsodtool import config
from vsodtool.errors import DeviceError, UsageError
from vsodtool.models.flow.registry import (
    BACKENDS,
    FlowBackend,
    create_estimator,
    resolve_backend,
    weight_digests,
    weight_files,
)
from vsodtool.types import Event, FlowEstimator, OnEvent

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


class Still:
    """The toy backend: nothing moves. Remembers where it was told to compute."""

    name = "still"

    def __init__(self, quality: str, device: torch.device) -> None:
        self.made_with = (quality, device)

    def estimate(
        self, image_a: torch.Tensor, image_b: torch.Tensor, *, initial: torch.Tensor | None = None
    ) -> torch.Tensor:
        return torch.zeros_like(image_a[:, :2])


@dataclass(frozen=True)
class Declared:
    url: str = "https://example.invalid/still-0123abcd.pth"


def make_still(quality: str, device: torch.device, on_event: OnEvent) -> FlowEstimator:
    return Still(quality, device)


def test_the_table_and_the_options_agree() -> None:
    """Config may not import models: a new line of the table is a new name in its choices."""
    assert ("auto", *BACKENDS) == config.BACKENDS


def test_a_backend_is_one_line_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setitem(
        BACKENDS,
        "still",
        FlowBackend(
            make=make_still, devices=("cpu",), batched=True, weights=lambda: (Declared(),), best_on=("mps",)
        ),
    )
    estimator = create_estimator("still", quality="best", device=CUDA)
    assert isinstance(estimator, Still)
    assert estimator.made_with == ("best", CPU)  # it does not compute on CUDA
    (file,) = weight_files("still")
    assert file == tmp_path / "checkpoints" / "still-0123abcd.pth"
    mps = torch.device("mps")
    assert resolve_backend("auto", mps) == "dis"
    file.parent.mkdir()
    file.write_bytes(b"weights")
    assert resolve_backend("auto", mps) == "still"
    assert weight_digests("still") == {file.name: hashlib.sha256(b"weights").hexdigest()}
    with pytest.raises(UsageError, match="raft-large, still, found 'x'"):
        create_estimator("x", device="cpu")


@pytest.mark.parametrize("name", BACKENDS)
def test_what_the_table_says_of_each_backend_is_possible(name: str) -> None:
    line = BACKENDS[name]
    assert set(line.best_on) <= set(line.devices) <= {"cpu", "cuda", "mps"}
    assert "cpu" in line.devices
    assert len(weight_files(name)) == len(line.weights())


def test_dis_is_made_with_its_quality() -> None:
    assert create_estimator("dis", quality="fast", device="cpu").name == "dis(2,8,4,16,5)"
    assert create_estimator("auto", quality="fast", device=CPU).name.startswith("dis(")


def test_auto_on_the_cpu_is_dis_without_a_word() -> None:
    events: list[Event] = []
    assert resolve_backend("auto", CPU, on_event=events.append) == "dis"
    assert events == []


def test_auto_on_cuda_is_raft_large_where_its_weights_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (file,) = weight_files("raft-large")
    assert file.parent == tmp_path / "checkpoints"
    events: list[Event] = []
    assert resolve_backend("auto", CUDA, on_event=events.append) == "dis"
    assert [event.kind for event in events] == ["notice"]
    assert str(file) in events[0].message
    file.parent.mkdir()
    file.touch()
    assert resolve_backend("auto", CUDA, on_event=events.append) == "raft-large"
    assert len(events) == 1


def test_a_backend_asked_for_by_name_stays() -> None:
    assert resolve_backend("dis", CUDA) == "dis"
    assert resolve_backend("raft-small", CPU) == "raft-small"
    assert weight_files("dis") == []


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(
        UsageError, match="backend: expected one of auto, dis, raft-small, raft-large, found 'x'"
    ):
        create_estimator("x", device="cpu")
    with pytest.raises(DeviceError):
        create_estimator("dis", device="cuda")


def test_weights_are_fetched_before_their_digest_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (file,) = weight_files("raft-small")

    def fetch(member: object, *, on_download: Callable[[str], None]) -> None:
        on_download("downloading")
        file.parent.mkdir()
        file.write_bytes(b"weights")

    monkeypatch.setattr("vsodtool.media.weights.checkpoints.fetch_torchvision_weights", fetch)
    events: list[Event] = []
    assert weight_digests("raft-small", on_event=events.append) == {}
    assert events == []
    digests = weight_digests("raft-small", fetch=True, on_event=events.append)
    assert digests == {file.name: hashlib.sha256(b"weights").hexdigest()}
    assert weight_digests("raft-small", fetch=True, on_event=events.append) == digests
    assert [event.message for event in events] == ["downloading"]
    assert weight_digests("dis", fetch=True) == {}
