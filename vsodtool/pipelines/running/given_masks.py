"""The masks that a user gave, as a folder of masks: as they lie, or drawn from an annotation file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vsodtool.config import AnnotationConfig
from vsodtool.media.annotations.label_images import Labelled, read_labels, write_label_images
from vsodtool.media.annotations.table import holds_annotations
from vsodtool.media.video.frames import FrameSource
from vsodtool.pipelines.running.reading import reading_of
from vsodtool.types import Event, OnEvent, Size


@dataclass(frozen=True)
class GivenMasks:
    """Masks to work with.

    Attributes:
        folder: of masks, as `match_masks` takes it.
        labelled: what the annotation file says; None for a folder of masks.
    """

    folder: Path
    labelled: Labelled | None = None


@contextmanager
def given_masks(
    config: AnnotationConfig, path: Path, sources: Sequence[FrameSource], on_event: OnEvent
) -> Iterator[GivenMasks]:
    """Lend a folder of masks; those drawn from an annotation file are gone after the block.

    Args:
        config: how annotation files are read.
        path: a folder of masks, or annotations of any known format.
        sources: the inputs.
        on_event: hears how entries were matched to frames.

    Raises:
        DataError: the annotations are wrong, or do not fit the inputs.
    """
    if not holds_annotations(path):
        yield GivenMasks(path)
        return
    labelled = read_labels(path, [Target(source) for source in sources], reading_of(config))
    for line in labelled.describe():
        on_event(Event("notice", message=line))
    with tempfile.TemporaryDirectory(prefix="vsodtool-masks-") as folder:
        sizes = {source.video.name: source.size for source in sources}
        write_label_images(labelled, sizes, Path(folder))
        yield GivenMasks(Path(folder), labelled)


class Target:
    """An input, as annotations are matched to it."""

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self.name, self.names = source.video.name, source.names
        self.is_file = source.video.kind == "file"

    @property
    def size(self) -> Size:
        """(H, W) of its frames."""
        return self._source.size
