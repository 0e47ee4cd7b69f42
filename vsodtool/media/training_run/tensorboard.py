"""The log of a training run for TensorBoard, where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vsodtool.errors import ConfigError
from vsodtool.media.atomic import disk_errors


class TensorBoardLog:
    """Every number of every event as a scalar `<event>/<name>` over the steps."""

    def __init__(self, folder: Path, step: int) -> None:
        """Open a file in `folder`.

        Args:
            folder: made if missing.
            step: what an earlier run wrote after this step is hidden.

        Raises:
            ConfigError: TensorBoard is not installed.
            DeviceError: the disk refuses.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ConfigError(
                "tensorboard is not installed",
                "pip install 'vsodtool[tensorboard]', or leave out --tensorboard",
            ) from error
        self._path = folder
        with disk_errors(folder):
            self._writer = SummaryWriter(str(folder), purge_step=step + 1)

    def write(self, event: str, values: Mapping[str, Any]) -> None:
        """Add the numbers of one event."""
        for name, value in values.items():
            if isinstance(value, int | float) and name not in {"step", "steps", "epoch"}:
                with disk_errors(self._path):
                    self._writer.add_scalar(f"{event}/{name}", float(value), values["step"])

    def close(self) -> None:
        """Write what is left."""
        with disk_errors(self._path):
            self._writer.close()
