"""Networks of the `transformers` library on disk: names of its hub, and folders that are none.

What a whole folder gives, and every damage to it, is in tests/pipelines/networks/test_sam2.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vsodtool.errors import ConfigError, WeightsError
from vsodtool.media.weights import pretrained
from vsodtool.media.weights.pretrained import CONFIG, WEIGHTS, check_transformers, is_hub_name, read_sam2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("facebook/sam2.1-hiera-tiny", True),
        ("a/b", True),
        ("a", False),
        ("a/b/c", False),
        ("../b", False),
        ("a/b.pth", False),
        ("a/b.safetensors", False),
        ("", False),
    ],
)
def test_what_can_be_a_name_of_the_hub(
    text: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_hub_name(text) is expected


def test_a_folder_of_that_name_is_meant_before_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a/b").mkdir(parents=True)
    assert not is_hub_name("a/b")


def test_without_the_extra_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="needs the package transformers") as raised:
        check_transformers()
    assert "vsodtool[sam2]" in raised.value.hint


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (None, "found no config.json"),
        ("{", "cannot be read"),
        ("[]", "expected a network 'sam2_video', found no model_type"),
        (json.dumps({"model_type": "bert"}), "expected a network 'sam2_video', found 'bert'"),
        (json.dumps({"model_type": "sam2_video"}), f"expected {WEIGHTS} beside its {CONFIG}, found none"),
    ],
)
def test_a_folder_that_holds_something_else(config: str | None, text: str, tmp_path: Path) -> None:
    if config is not None:
        (tmp_path / CONFIG).write_text(config)
    with pytest.raises(WeightsError, match=text) as raised:
        read_sam2(tmp_path)
    assert raised.value.hint
