"""The processes of a run: what torchrun says about them, and what it must not say."""

from __future__ import annotations

import pytest
import torch

from vsodtool.errors import ConfigError, DeviceError
from vsodtool.pipelines.training.processes import World, join_world


def test_without_torchrun_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    with join_world("cpu") as world:
        assert world == World(0, 1, torch.device("cpu"))
        assert world.is_main
        assert not world.is_parallel
        values = torch.tensor([1.0, 2.0])
        assert world.mean(values) is values
        assert world.gather("x") == ["x"]
        world.wait()
        with world.main_first():
            pass


@pytest.mark.parametrize("value", ["", "-1", "two", "1.0"])
def test_an_environment_that_torchrun_did_not_write_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("WORLD_SIZE", value)
    with (
        pytest.raises(ConfigError, match="environment WORLD_SIZE: expected a whole number"),
        join_world("cpu"),
    ):
        pass


def test_one_gpu_for_several_processes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with (
        pytest.raises(ConfigError, match="'cuda:1' is one GPU, and 2 processes") as caught,
        join_world("cuda:1"),
    ):
        pass
    assert caught.value.hint == "say --device cuda"


def test_an_absent_device_is_refused_before_anybody_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="does not exist"), join_world("cuda"):
        pass
