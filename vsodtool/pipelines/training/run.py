"""Beginning and continuing a training run: which of the two it is, and whether it may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from vsodtool.config import TrainConfig, load_config
from vsodtool.errors import ConfigError, DataError, UsageError
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.output.manifest import InputEntry, Manifest, plain, read_manifest, write_manifest
from vsodtool.media.training_run.folder import RunFolder
from vsodtool.media.training_run.options import as_yaml

# What may differ when a run is continued: none of it changes the weights that come out. The batch may be
# divided otherwise (checked by `samples_per_step`).
_FREE = frozenset(
    {
        "output", "resume", "overwrite", "dry_run", "device", "workers", "batch_size", "accumulate",
        "save_minutes", "sheet_rows", "tensorboard",
    }
)  # fmt: skip


def is_begun(config: TrainConfig, folder: RunFolder) -> bool:
    """Whether `folder` holds a run with these options, which is then continued.

    Raises:
        UsageError: it holds a run with other options, or something else.
        ConfigError: `--resume` and there is none.
    """
    folder.check_usable()
    if config.overwrite or not folder.config.is_file():
        if config.resume:
            raise ConfigError(
                f"--resume: {folder.root} holds no training run to continue", "leave out --resume"
            )
        return False
    before = plain(asdict(load_config(TrainConfig, folder.config, {})))
    now = plain(asdict(config))
    changed = [name for name in now if name not in _FREE and now[name] != before.get(name)]
    if changed:
        name = changed[0]
        raise UsageError(
            f"{folder.root} was begun with other options: {name} was {before.get(name)}, now {now[name]}"
            + (f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""),
            "choose another -o, or --overwrite to start anew",
        )
    return folder.last.is_file()


def begin(config: TrainConfig, folder: RunFolder) -> None:
    """Clear the folder and write down the options.

    Raises:
        DeviceError: the disk refuses.
    """
    folder.clear()
    lasting = {**plain(asdict(config)), "resume": False, "overwrite": False, "dry_run": False}
    write_bytes_atomically(folder.config, as_yaml(lasting).encode())


def describe(config: TrainConfig, fingerprint: str, files: int, weights: dict[str, str]) -> Manifest:
    """The manifest of a run."""
    data = InputEntry(" ".join(config.data), files, fingerprint)
    return Manifest(f"train {config.kind}", plain(asdict(config)), {"data": data}, weights)


def keep_manifest(folder: RunFolder, manifest: Manifest, *, continued: bool) -> Manifest:
    """Write the manifest of a new run; of a continued one, require that the data are the same.

    Raises:
        DataError: the data changed since.
        DeviceError: the disk refuses.
    """
    before = read_manifest(folder.manifest) if continued else None
    if before is None:
        write_manifest(folder.manifest, manifest)
        return manifest
    was = before.inputs.get("data")
    if was is not None and was.fingerprint != manifest.inputs["data"].fingerprint:
        raise DataError(
            f"the training data changed since {folder.root} was begun",
            "put them back as they were, choose another -o, or start anew with --overwrite",
        )
    return before


def check_batch(content: Mapping[str, Any], samples_per_step: int) -> None:
    """Require that a step still has as many samples, however many processes share them.

    Raises:
        ConfigError: it has not.
    """
    before = content.get("samples_per_step", samples_per_step)
    if before != samples_per_step:
        raise ConfigError(
            f"a step of this run has {before} samples, now batch_size x accumulate x processes = "
            f"{samples_per_step}",
            "choose --batch-size and --accumulate so that the product is the same",
        )
