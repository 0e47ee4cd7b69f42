from __future__ import annotations

from pathlib import Path

from vsodtool.config import DemoConfig, load_config


def test_a_demo_needs_nothing() -> None:
    assert DemoConfig().output == Path("demo-out")
    assert load_config(DemoConfig, None, {"output": "elsewhere"}) == DemoConfig(output=Path("elsewhere"))
