"""Where the shipped files lie: top level of a checkout, `vsodtool/_shipped` of an installed wheel."""

from __future__ import annotations

from pathlib import Path

import vsodtool
from vsodtool.errors import ConfigError


def shipped_path(relative: str) -> Path:
    """The path of a shipped file or folder.

    Args:
        relative: path below the checkout, for example "configs/pseudolabel.yaml" or "weights".

    Raises:
        ConfigError: it is in neither place.
    """
    package = Path(vsodtool.__file__).resolve().parent
    places = [package / "_shipped" / relative]
    if (package.parent / "pyproject.toml").is_file():
        places.insert(0, package.parent / relative)
    for place in places:
        if place.exists():
            return place
    looked = ", ".join(map(str, places))
    raise ConfigError(
        f"{relative} is not among the files that come with vsodtool (looked at {looked})",
        "check the name, or install vsodtool again",
    )


def shipped_trainings() -> list[str]:
    """Names of the configurations for `train` that come along, without suffix."""
    return sorted(path.stem for path in shipped_path("configs").glob("train-*.yaml"))
