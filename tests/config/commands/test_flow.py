from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vsodtool.config import FLOW_FORMATS, FlowConfig
from vsodtool.errors import ConfigError
from vsodtool.media.flow import files


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"step": 0}, "step: expected a whole number of at least 1, found 0"),
        ({"direction": "up"}, "direction: expected one of forward, backward, both, found 'up'"),
        ({"format": "jpg"}, "format: expected one of flo, png, npz, found 'jpg'"),
    ],
)
def test_values_out_of_range(values: dict[str, Any], part: str) -> None:
    with pytest.raises(ConfigError) as caught:
        FlowConfig(inputs=("a.mp4",), output=Path("out"), **values)
    assert part in caught.value.message


def test_the_formats_are_those_that_are_written() -> None:
    assert FLOW_FORMATS == files.FLOW_FORMATS
