"""What may not differ between a run and the one that it continues."""

from __future__ import annotations

from pathlib import Path

from vsodtool.errors import DataError, UsageError, WeightsError
from vsodtool.media.output.manifest import COMPLETE, UPDATING, Manifest

# Options that change no result, or whose files or videos are compared by fingerprint instead of by spelling.
UNCOMPARED = frozenset(
    {
        "workers",
        "quiet",
        "json",
        "dry_run",
        "overwrite",
        "update",
        "config",
        "inputs",
        "masks",
        "cuts",
        "output",
        "shard",
        "only_masked",
        "allow_misfit",
    },
)
# What a run was told under another name than that of the option.
_SPELT = {"cuts_sha256": "cuts"}
_HINT = "repeat the earlier command, choose another output folder, or say --overwrite to start again"
_HINT_MASKS = f"say --update to make again what depends on them; or {_HINT}"
_HINT_NEW = f"say --update to make it in addition; or {_HINT}"
_HINT_MASKLESS = (
    "give it a mask again, choose another output folder, or say --overwrite to start again without it"
)


class ChangedMasksError(DataError):
    """The masks of a video changed since the run began that is to be continued.

    Attributes:
        video: its name.
    """

    def __init__(self, message: str, hint: str, video: str) -> None:
        super().__init__(message, hint)
        self.video = video


def refuse_changes(root: Path, before: Manifest, now: Manifest, *, update: bool = False) -> None:
    """Refuse to continue `before`, found in the output folder `root`, as `now`.

    Args:
        root: the folder.
        before: what was begun there.
        now: what is to be done.
        update: masks may differ, and there may be new videos.

    Raises:
        UsageError: the version, the command or an option changed.
        DataError: an input or its masks changed, appeared or have gone.
        WeightsError: a weight file changed.
    """
    _refuse_changed_options(root, before, now)
    _refuse_changed_inputs(root, before, now, update=update)
    _refuse_changed_weights(root, before, now)


def _refuse_changed_options(root: Path, before: Manifest, now: Manifest) -> None:
    if before.version != now.version:
        raise UsageError(f"{root} was begun by vsodtool {before.version}, this is {now.version}", _HINT)
    if before.command != now.command:
        raise UsageError(
            f"{root} was begun by the command '{before.command}', this is '{now.command}'", _HINT
        )
    absent = object()
    switches = {"masks"} if isinstance(now.config.get("masks"), bool) else set()  # of predict: no folder
    for name in sorted((before.config.keys() | now.config.keys()) - (UNCOMPARED - switches)):
        old, new = before.config.get(name, absent), now.config.get(name, absent)
        if name == "device":  # the shards of a run compute on several devices of one kind
            old, new = _kind(old), _kind(new)
        if old != new:
            was, now_is = ("not set" if value is absent else repr(value) for value in (old, new))
            option = "--" + _SPELT.get(name, name).replace("_", "-")
            raise UsageError(
                f"option {option} changed: {root} was begun with {was}, now it is {now_is}", _HINT
            )


def _kind(device: object) -> object:
    return device.partition(":")[0] if isinstance(device, str) else device


def _refuse_changed_inputs(root: Path, before: Manifest, now: Manifest, *, update: bool) -> None:
    for name in sorted(before.inputs.keys() | now.inputs.keys()):
        old, new = before.inputs.get(name), now.inputs.get(name)
        if new is None:
            text = f"{root} was begun with the video '{name}', which is not among the inputs now"
            if now.config.get("only_masked"):
                raise DataError(f"{text} or has no mask any more", _HINT_MASKLESS)
            raise DataError(text, _HINT)
        if old is None:
            if update:
                continue  # it is made in addition
            # Only a finished run can be updated, and not of every command.
            takes = "update" in now.config and before.status in (COMPLETE, UPDATING)
            text = f"{root} was begun without the video '{name}' ({new.path})"
            raise DataError(text, _HINT_NEW if takes else _HINT)
        if old.fingerprint != new.fingerprint:
            raise DataError(f"the video '{name}' ({new.path}) has changed since {root} was begun", _HINT)
        if not update and old.masks_sha256 != new.masks_sha256:
            how = "their content" if old.masks == new.masks else f"then {old.masks}, now {new.masks}"
            text = f"the masks of '{name}' changed since {root} was begun ({how})"
            raise ChangedMasksError(text, _HINT_MASKS if old.masks and new.masks else _HINT, name)


def _refuse_changed_weights(root: Path, before: Manifest, now: Manifest) -> None:
    for name in sorted(before.weights.keys() | now.weights.keys()):
        old, new = before.weights.get(name, "none"), now.weights.get(name, "none")
        if old != new:
            raise WeightsError(
                f"weights '{name}' changed: {root} was begun with {old[:12]}, now {new[:12]}", _HINT
            )
