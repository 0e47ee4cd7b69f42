"""`--void`: a word or an id."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.config import EvaluateConfig, PseudoLabelConfig
from vsodtool.errors import ConfigError


@pytest.mark.parametrize("void", ["auto", "none", "1", "255", "65535"])
def test_words_and_ids(void: str) -> None:
    assert EvaluateConfig(predictions=("p", "gt"), void=void).void == void


@pytest.mark.parametrize("void", ["", "0", "65536", "-1", "all", "1.0", "٣"])
def test_anything_else_is_refused(void: str) -> None:
    with pytest.raises(ConfigError, match="void: expected auto, none or an id from 1 to 65535"):
        PseudoLabelConfig(inputs=("v",), masks=Path("m"), output=Path("o"), void=void)
