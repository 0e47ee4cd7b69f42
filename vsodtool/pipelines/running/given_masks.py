"""The masks that a user gave, as a folder of masks: as they lie, or drawn from an annotation file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from vsodtool.config import AnnotationConfig
from vsodtool.errors import DataError
from vsodtool.media.annotations.label_images import Labelled, join_labels, read_labels, write_label_images
from vsodtool.media.annotations.objects import ObjectInfo, VideoObjects
from vsodtool.media.annotations.recognition import holds_annotations
from vsodtool.media.masks.encoding import MaskEncoding
from vsodtool.media.masks.matching import find_mask_folders
from vsodtool.media.masks.sparse import MaskFolder, match_masks
from vsodtool.media.output.layout import NOTES
from vsodtool.media.output.object_names import read_noted_objects
from vsodtool.media.video.frames import FrameSource
from vsodtool.pipelines.running.reading import reading_of, tell_unheard
from vsodtool.types import Event, OnEvent, Size


@dataclass(frozen=True)
class GivenMasks:
    """Masks to work with.

    Attributes:
        folders: of masks, as `match_masks` takes them; later ones win.
        labelled: what the annotation files among them say.
        named: video -> id -> object, of those that were named where the masks were drawn, on the review page.
    """

    folders: list[MaskFolder]
    labelled: list[Labelled] = field(default_factory=list)
    named: Mapping[str, Mapping[int, ObjectInfo]] = field(default_factory=dict)


@dataclass(frozen=True)
class KnownObjects:
    """The objects of an output folder, by video: what is labelled again keeps their ids.

    Attributes:
        named: those of its annotation files, by id.
        added: those that people added on the review page, whose ids their corrections hold.
    """

    named: Mapping[str, Mapping[int, ObjectInfo]] = field(default_factory=dict)
    added: Mapping[str, Sequence[ObjectInfo]] = field(default_factory=dict)

    def applied_to(self, labelled: Labelled, on_event: OnEvent) -> Labelled:
        """The same annotations with the ids that are known; tells of ids that are another's now."""
        return replace(
            labelled,
            objects={
                video: self._renumbered(video, objects, on_event)
                for video, objects in labelled.objects.items()
            },
        )

    def _renumbered(self, video: str, objects: VideoObjects, on_event: OnEvent) -> VideoObjects:
        named = self.named.get(video, {})
        found = objects.with_ids_of(named.values(), self.added.get(video, ()))
        names = {info.name for info in found.infos}
        for info in found.infos:
            before = named.get(info.id)
            same = before is None or before.name in names or (info.source_id or "-") == before.source_id
            if before is not None and not same:
                text = f"{video}: id {info.id} was '{before.name}' before, it is '{info.name}' now"
                on_event(Event("notice", message=text))
        return found


NONE_KNOWN = KnownObjects()


@contextmanager
def given_masks(
    config: AnnotationConfig,
    paths: Sequence[Path],
    sources: Sequence[FrameSource],
    on_event: OnEvent,
    known: KnownObjects = NONE_KNOWN,
) -> Iterator[GivenMasks]:
    """Lend folders of masks; those drawn from annotation files are gone after the block.

    Args:
        config: how annotation files are read, and how frames are counted.
        paths: folders of masks, or annotations of any known format.
        sources: the inputs.
        on_event: hears how entries were matched to frames.
        known: the objects of an earlier run, whose ids stay.

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
        tell_unheard(config, on_event, but=("frame_offset",))
        named = _named(paths, sources)
        yield GivenMasks([MaskFolder(path, offset=config.frame_offset) for path in paths], named=named)
        return
    joined = [known.applied_to(each, on_event) for each in join_labels(list(read.values()))]
    labelled = dict(zip(read, joined, strict=True))
    with tempfile.TemporaryDirectory(prefix="vsodtool-masks-") as name:
        folders = []
        plain = [
            MaskFolder(path, offset=config.frame_offset)
            for place, path in enumerate(paths)
            if place not in labelled
        ]
        stored = _stored(plain, sources, joined)
        for place, path in enumerate(paths):
            if place in labelled:
                drawn = Path(name) / str(place)
                for line in write_label_images(labelled[place], sizes, drawn, stored):
                    on_event(Event("notice", message=line))
                folders.append(MaskFolder(drawn, drawn=True))
            else:
                folders.append(MaskFolder(path, offset=config.frame_offset))
        yield GivenMasks(folders, list(labelled.values()), _named([place.path for place in plain], sources))


def _named(folders: Sequence[Path], sources: Sequence[FrameSource]) -> dict[str, Mapping[int, ObjectInfo]]:
    videos = {source.video.name for source in sources}
    named: dict[str, Mapping[int, ObjectInfo]] = {}
    for folder in filter(Path.is_dir, folders):  # one mask alone is a file
        noted: Mapping[str, Sequence[ObjectInfo]] = {}
        with suppress(DataError):  # another's file of this name
            noted = read_noted_objects(folder / NOTES)
        for video, infos in noted.items():
            if infos and video in videos:
                named[video] = {**named.get(video, {}), **{info.id: info for info in infos}}
    return named


def _stored(
    plain: Sequence[MaskFolder], sources: Sequence[FrameSource], labelled: Sequence[Labelled]
) -> dict[str, MaskEncoding]:
    """How the masks of each video are stored that lie beside annotations, where that is by ids.

    Masks of several objects must all be stored in one way; those of one need not, and names want a palette.
    """
    names = [source.video.name for source in sources]
    own = [set(place.folders(names, alone=False)[0]) for place in plain]
    found: dict[str, MaskEncoding] = {}
    for source in sources:
        name = source.video.name
        places = [place for place, videos in zip(plain, own, strict=True) if name in videos]
        objects = {info.id for each in labelled if name in each.objects for info in each.objects[name].infos}
        if not places or not objects:
            continue
        masks = match_masks(places, [source])[name]
        if masks.encoding.kind == "palette" or len(objects.union(masks.object_ids)) > 1:
            found[name] = masks.encoding
    return found


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
