from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.config import PseudoLabelConfig, resolve_method
from vsodtool.errors import ConfigError, WeightsError


def make(**values: object) -> PseudoLabelConfig:
    given: dict[str, object] = {"inputs": ("a",), "masks": Path("m"), "output": Path("o"), **values}
    return PseudoLabelConfig(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["auto", "warp"])
def test_auto_is_warp(method: str) -> None:
    assert resolve_method(make(method=method)) == "warp"


@pytest.mark.parametrize("values", [{"method": "fgplg"}, {"weights": "w.safetensors"}])
def test_fgplg_is_refused_while_no_weights_exist(values: dict[str, str]) -> None:
    with pytest.raises(WeightsError, match="no fgplg weights are bundled yet") as caught:
        resolve_method(make(**values))
    assert caught.value.exit_code == 4
    assert "--method warp" in caught.value.hint


def test_weights_contradict_warp() -> None:
    with pytest.raises(ConfigError, match="uses no weights"):
        make(method="warp", weights="w.safetensors")


def test_every_is_not_negative() -> None:
    with pytest.raises(ConfigError, match="every"):
        make(every=-1)
