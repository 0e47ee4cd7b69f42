"""The named datasets of configs/datasets.yaml: where their files lie, and who belongs to which split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vsodtool.config.option import did_you_mean
from vsodtool.config.shipped import shipped_path
from vsodtool.errors import ConfigError

VIDEO = "<video>"


@dataclass(frozen=True)
class DatasetLayout:
    """One named dataset.

    Attributes:
        name: as in `dataset:NAME/SPLIT@ROOT`.
        title: as people write it.
        url: of its authors' page.
        frames: pattern below the root, with `<video>` unless `stills`.
        masks: likewise.
        mask_every: 1 if every frame has a mask, N if about every N-th has, 0 if there is no fixed step.
        splits: split -> names of videos; for stills (), see `lists`.
        lists: for stills, split -> text file below the root with one image name per line, "*" for all.
        stills: whether it consists of unrelated images.
    """

    name: str
    title: str
    url: str
    frames: str
    masks: str
    mask_every: int
    splits: Mapping[str, tuple[str, ...]]
    lists: Mapping[str, str]
    stills: bool

    @property
    def split_names(self) -> list[str]:
        """The splits, the default one first."""
        return list(self.lists if self.stills else self.splits)

    def check_split(self, split: str) -> str:
        """The split of this name, the default one for "".

        Raises:
            ConfigError: there is no such split.
        """
        names = self.split_names
        if split and split not in names:
            raise ConfigError(
                f"dataset {self.name}: no split '{split}'", f"its splits are {', '.join(names)}"
            )
        return split or names[0]


def find_dataset(name: str) -> DatasetLayout:
    """The dataset of this name.

    Raises:
        ConfigError: there is no such dataset, or the file of them is damaged.
    """
    known = load_datasets()
    if name not in known:
        hint = did_you_mean(name.casefold(), known) or f"known datasets: {', '.join(known)}"
        raise ConfigError(f"unknown dataset '{name}'", hint)
    return known[name]


@lru_cache(maxsize=1)
def load_datasets() -> Mapping[str, DatasetLayout]:
    """All datasets of configs/datasets.yaml by name.

    Raises:
        ConfigError: the file is damaged.
    """
    import yaml

    path = shipped_path("configs/datasets.yaml")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return {name: _layout(name, values) for name, values in content.items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: damaged: {error!r}", "install vsodtool again") from error


def _layout(name: str, values: dict[str, Any]) -> DatasetLayout:
    stills = bool(values.get("stills", False))
    splits = values["splits"]
    return DatasetLayout(
        name=name,
        title=values["title"],
        url=values["url"],
        frames=values["frames"],
        masks=values["masks"],
        mask_every=values["mask_every"],
        splits={} if stills else {split: tuple(map(str, videos)) for split, videos in splits.items()},
        lists=dict(splits) if stills else {},
        stills=stills,
    )
