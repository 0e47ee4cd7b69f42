from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.config import PseudoLabelConfig, candidate_methods, load_config, resolve_label_flow
from vsodtool.errors import ConfigError


def make(**values: object) -> PseudoLabelConfig:
    given: dict[str, object] = {"inputs": ("a",), "masks": Path("m"), "output": Path("o"), **values}
    return PseudoLabelConfig(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "methods"),
    [
        ({}, ("fgplg", "warp", "sam2")),
        ({"method": "auto"}, ("fgplg", "warp", "sam2")),
        ({"method": "warp"}, ("warp",)),
        ({"method": "auto", "weights": "w.safetensors"}, ("fgplg", "warp", "sam2")),
        ({"method": "sam2", "weights": "facebook/sam2.1-hiera-tiny"}, ("sam2",)),
        ({"method": "fgplg"}, ("fgplg",)),
        ({"method": "fgplg", "weights": "w.safetensors"}, ("fgplg",)),
    ],
)
def test_auto_is_the_default_and_has_the_choice(values: dict[str, str], methods: tuple[str, ...]) -> None:
    assert candidate_methods(make(**values)) == methods


@pytest.mark.parametrize(("flow", "resolved"), [("auto", "composed"), ("direct", "direct")])
def test_fgplg_composes_its_flow_unless_told_otherwise(flow: str, resolved: str) -> None:
    assert resolve_label_flow(make(method="fgplg", label_flow=flow)) == resolved


def test_flow_contradicts_warp() -> None:
    with pytest.raises(ConfigError, match="label_flow: 'direct' given, but method 'warp'") as caught:
        make(method="warp", label_flow="direct")
    assert "--method fgplg" in caught.value.hint


def test_weights_contradict_warp() -> None:
    with pytest.raises(ConfigError, match="uses no weights"):
        make(method="warp", weights="w.safetensors")


def test_every_is_not_negative() -> None:
    with pytest.raises(ConfigError, match="every"):
        make(every=-1)


def test_label_flow_was_called_flow() -> None:
    given = {"inputs": "a", "masks": "m", "output": "o"}
    assert load_config(PseudoLabelConfig, None, {**given, "flow": "direct"}).label_flow == "direct"
    with pytest.raises(ConfigError, match="'flow' is 'label_flow' by its older name, and both are given"):
        load_config(PseudoLabelConfig, None, {**given, "label_flow": "direct", "flow": "direct"})


def test_masks_are_one_or_several(tmp_path: Path) -> None:
    assert make(masks=Path("m")).masks == ("m",)
    file = tmp_path / "options.yaml"
    file.write_text("inputs: a\noutput: o\nmasks: [m, 'corrections']\n")
    assert load_config(PseudoLabelConfig, file, {}).masks == ("m", "corrections")
    assert load_config(PseudoLabelConfig, file, {"masks": [Path("n"), "k"]}).masks == ("n", "k")
    with pytest.raises(ConfigError, match="no masks given"):
        make(masks=())
