"""Making labels again where corrections changed, with everything kept warm: what the review page does."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from vsodtool.config import PseudoLabelConfig
from vsodtool.config.cuts import AUTO, NONE
from vsodtool.config.methods import kinds_of_weights
from vsodtool.errors import ConfigError, DataError, UsageError
from vsodtool.media.output.finished_run import read_finished_run
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import COMPLETE, UPDATING, Manifest
from vsodtool.pipelines.densify.updating.stale import StaleInterval
from vsodtool.pipelines.densify.updating.tools import Tools
from vsodtool.pipelines.pseudolabel import (
    PseudoLabelReport,
    adaptation_of,
    find_stale_intervals,
    label_videos,
    tracking_of,
)
from vsodtool.pipelines.running.earlier_inputs import start_folder
from vsodtool.types import OnEvent, ignore_event

__all__ = ["StaleInterval", "Updater", "config_of"]


class Updater:
    """A finished output folder of `pseudolabel`, whose labels can be made again where masks changed.

    Networks, flow and threads are made once and kept. Not safe to use from several threads at once. Close it
    (or use `with`) when done.
    """

    def __init__(self, output: Path, *, on_event: OnEvent = ignore_event) -> None:
        """Read what was run there; nothing is decoded or loaded yet.

        Args:
            output: the folder.
            on_event: hears of notices.

        Raises:
            UsageError: it is no folder of `pseudolabel`.
            DataError: the run there is not finished.
        """
        self._config = config_of(output)
        self._on_event = on_event
        self._tools = Tools(self._config, adaptation_of, tracking_of, keep=True)
        self._overlays_due = False

    def stale(self) -> list[StaleInterval]:
        """What `run` would make again, in the order of the videos; nothing is decoded.

        Raises:
            DataError: a mask or a correction is wrong, or an input has gone.
        """
        return find_stale_intervals(self._config, self._tools)

    def prepare(self) -> None:
        """Load networks, which the first `run` would do else.

        Raises:
            VsodtoolError: weights are missing or damaged, or the device is.
        """
        self._tools.candidates(self._on_event)

    def run(self, on_event: OnEvent | None = None) -> PseudoLabelReport:
        """Make them again: the same as `vsodtool pseudolabel ... --update`.

        Overlays, which show whole videos, are made when this is closed.

        Raises:
            VsodtoolError: as `run_pseudolabel`.
        """
        self._overlays_due = self._config.overlay
        heard = on_event or self._on_event
        return _of_all(label_videos(self._config, self._tools, on_event=heard, overlays=False))

    def close(self) -> None:
        """Make overlays that no longer show what is there, and give everything back.

        Raises:
            VsodtoolError: an overlay cannot be made; the next run of the command tries again.
        """
        due, self._overlays_due = self._overlays_due, False
        try:
            if due and not self.stale():
                _of_all(label_videos(self._config, self._tools))
        finally:
            self._tools.close()

    def __enter__(self) -> Updater:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _of_all(report: PseudoLabelReport) -> PseudoLabelReport:
    """The report.

    Raises:
        DataError: a video could not be made.
    """
    if report.not_made:
        raise DataError(
            f"not all videos could be made again: {report.losses[-1]}",
            "the others are done; mend the input for the rest",
        )
    return report


def config_of(output: Path) -> PseudoLabelConfig:
    """The options with which a finished run can be updated, from its manifest.

    Paths that were given relative count from the folder in which the run was started, where that can be told
    from what the output folder was called then.

    Raises:
        UsageError: it is no folder of `pseudolabel`, or its options are not to be had back.
        DataError: the run is not finished.
    """
    manifest = read_finished_run(OutputLayout(output), ("pseudolabel",), statuses=(COMPLETE, UPDATING))
    if not manifest.config:
        raise UsageError(
            f"{output} was made by vsodtool {manifest.version}", "run its command again with --overwrite"
        )
    try:
        return _config(output, manifest)
    except (ConfigError, TypeError) as error:
        raise UsageError(
            f"{output}: its options cannot be used again: {error}", "update it by its command: --update"
        ) from error


def _config(output: Path, manifest: Manifest) -> PseudoLabelConfig:
    known = {each.name for each in fields(PseudoLabelConfig)}
    told: dict[str, Any] = {name: value for name, value in manifest.config.items() if name in known}
    start = start_folder(output, manifest)
    inputs = [text for text in told["inputs"] if text != "-"]
    if len(inputs) < len(told["inputs"]):  # names came on stdin
        inputs = [entry.path for entry in manifest.inputs.values()]
    told["inputs"] = tuple(_from(start, text) for text in inputs)
    masks = told["masks"]
    told["masks"] = tuple(_from(start, text) for text in ([masks] if isinstance(masks, str) else masks))
    if not kinds_of_weights(told["method"]):
        told["label_flow"] = "auto"
    weights = str(told.get("weights", ""))
    if weights and (start / weights).exists():  # a file, or a folder
        told["weights"] = _from(start, weights)
    cuts = str(told.get("cuts", AUTO))
    told["cuts"] = cuts if cuts in (AUTO, NONE) else _from(start, cuts)
    config = PseudoLabelConfig(**{**told, "output": output, "shard": ""})
    return replace(config, update=True, overwrite=False, dry_run=False)


def _from(start: Path, text: str) -> str:
    return text if start == Path() else str(start / text)  # an absolute one stays
