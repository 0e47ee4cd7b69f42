"""What a small run of `flow` is asked for, and what it left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vsodtool.config import FlowConfig, load_config


def config(source: object, out: object, **more: Any) -> FlowConfig:
    given = {"inputs": str(source), "output": str(out), "quality": "fast", "workers": 1, **more}
    return load_config(FlowConfig, None, given)


def local(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def without_manifest(tree: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in tree.items() if name != "manifest.json"}
