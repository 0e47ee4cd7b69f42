"""The masks that a user gave, as a folder of masks: as they lie, or drawn from an annotation file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vsodtool.config import AnnotationConfig
from vsodtool.media.annotations.label_images import Labelled, join_labels, read_labels, write_label_images
from vsodtool.media.annotations.table import holds_annotations
from vsodtool.media.masks.matching import find_mask_folders
from vsodtool.media.masks.sparse import MaskFolder
from vsodtool.media.video.frames import FrameSource
from vsodtool.pipelines.running.reading import reading_of
from vsodtool.types import Event, OnEvent, Size


@dataclass(frozen=True)
class GivenMasks:
    """Masks to work with.

    Attributes:
        folders: of masks, as `match_masks` takes them; later ones win.
        labelled: what the annotation files among them say.
    """

    folders: list[MaskFolder]
    labelled: list[Labelled] = field(default_factory=list)


@contextmanager
def given_masks(
    config: AnnotationConfig, paths: Sequence[Path], sources: Sequence[FrameSource], on_event: OnEvent
) -> Iterator[GivenMasks]:
    """Lend folders of masks; those drawn from annotation files are gone after the block.

    Args:
        config: how annotation files are read, and how frames are counted.
        paths: folders of masks, or annotations of any known format.
        sources: the inputs.
        on_event: hears how entries were matched to frames.

    Raises:
        DataError: the annotations are wrong, or do not fit the inputs.
    """
    targets = [Target(source) for source in sources]
    sizes = {source.video.name: source.size for source in sources}
    read: dict[int, Labelled] = {}
    for place, path in enumerate(paths):
        if holds_annotations(path):
            read[place] = read_labels(path, targets, reading_of(config), every=len(paths) == 1)
            for line in read[place].describe():
                on_event(Event("notice", message=line))
    if not read:
        yield GivenMasks([MaskFolder(path, offset=config.frame_offset) for path in paths])
        return
    labelled = dict(zip(read, join_labels(list(read.values())), strict=True))
    with tempfile.TemporaryDirectory(prefix="vsodtool-masks-") as name:
        folders = []
        for place, path in enumerate(paths):
            if place in labelled:
                drawn = Path(name) / str(place)
                for line in write_label_images(labelled[place], sizes, drawn):
                    on_event(Event("notice", message=line))
                folders.append(MaskFolder(drawn, drawn=True))
            else:
                folders.append(MaskFolder(path, offset=config.frame_offset))
        yield GivenMasks(folders, list(labelled.values()))


def with_masks(
    config: AnnotationConfig, paths: Sequence[Path], sources: Sequence[FrameSource]
) -> list[FrameSource]:
    """The inputs that have a mask in one of these places, in their order.

    Args:
        config: how annotation files are read.
        paths: folders of masks, or annotations of any known format.
        sources: the inputs.

    Raises:
        DataError: a place has masks of none of them, or the annotations are wrong.
    """
    names = [source.video.name for source in sources]
    masked: set[str] = set()
    for path in paths:
        if holds_annotations(path):
            targets = [Target(source) for source in sources]
            masked.update(read_labels(path, targets, reading_of(config), every=False).videos)
        else:
            masked.update(find_mask_folders(path, names, some=True)[0])
    return [source for source in sources if source.video.name in masked]


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
