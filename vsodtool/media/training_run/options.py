"""Options as a YAML file that `--config` reads again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def as_yaml(options: Mapping[str, Any]) -> str:
    """One `option: value` line each, in their order; lists and texts in YAML's own notation."""
    import yaml

    return yaml.safe_dump(dict(options), sort_keys=False, allow_unicode=True, default_flow_style=None)
