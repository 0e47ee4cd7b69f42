from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
import yaml

import vsodtool
from vsodtool.config import (
    CommonConfig,
    EvaluateConfig,
    FlowConfig,
    PredictConfig,
    PseudoLabelConfig,
    TrainConfig,
    load_config,
    shipped_path,
)
from vsodtool.errors import ConfigError

SCHEMAS: dict[str, type[CommonConfig]] = {
    "flow": FlowConfig,
    "pseudolabel": PseudoLabelConfig,
    "predict": PredictConfig,
    "evaluate": EvaluateConfig,
}
GIVEN: dict[str, object] = {"inputs": ("a.mp4",), "output": Path("out")}
ALL_NAMES = sorted(path.stem for path in shipped_path("configs").glob("*.yaml"))
TRAININGS = [name for name in ALL_NAMES if name.startswith("train-")]
NAMES = [name for name in ALL_NAMES if name not in TRAININGS and name != "datasets"]  # see test_datasets.py


def given(cls: type[CommonConfig]) -> dict[str, object]:
    if cls is EvaluateConfig:
        return {"predictions": ("p",), "ground_truth": "gt"}
    return {**GIVEN, "masks": Path("m")} if cls is PseudoLabelConfig else GIVEN


def test_every_schema_has_its_file() -> None:
    assert set(SCHEMAS) <= set(NAMES)


@pytest.mark.parametrize("name", TRAININGS)
def test_every_training_loads_and_states_all_options(name: str) -> None:
    path = shipped_path(f"configs/{name}.yaml")
    config = load_config(TrainConfig, path, {"data": ("a",), "output": Path("run")})
    assert config.kind == name.split("-")[1]
    stated = set(yaml.safe_load(path.read_text())) | {"data", "output"}
    assert stated == {field.name for field in fields(TrainConfig)}


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_yaml_loads_and_states_the_defaults(name: str) -> None:
    cls, path = SCHEMAS[name], shipped_path(f"configs/{name}.yaml")
    assert load_config(cls, path, given(cls)) == load_config(cls, None, given(cls))


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_yaml_mentions_every_option(name: str) -> None:
    path = shipped_path(f"configs/{name}.yaml")
    required = set(given(SCHEMAS[name]))
    assert set(yaml.safe_load(path.read_text())) | required == set(SCHEMAS[name].__dataclass_fields__)


def test_shipped_path_finds_the_checkout_and_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shipped_path("configs/flow.yaml").is_file()
    package = tmp_path / "site-packages" / "vsodtool"
    (package / "_shipped" / "configs").mkdir(parents=True)
    (package / "_shipped" / "configs" / "flow.yaml").touch()
    monkeypatch.setattr(vsodtool, "__file__", str(package / "__init__.py"))
    assert shipped_path("configs/flow.yaml") == package / "_shipped" / "configs" / "flow.yaml"


def test_a_shipped_file_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"configs/none\.yaml"):
        shipped_path("configs/none.yaml")
