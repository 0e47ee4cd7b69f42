"""The table of formats: how each is recognised, read and written. A format is a module and a line here.

Recognition looks at content only, never at the name alone: exports are called `annotations.json` everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from vsodtool.media.annotations.formats.burst import read_burst, write_burst
from vsodtool.media.annotations.formats.coco import read_coco, write_coco
from vsodtool.media.annotations.formats.cvat import detect_cvat, read_cvat
from vsodtool.media.annotations.formats.cvat_masks import detect_cvat_masks, read_cvat_masks
from vsodtool.media.annotations.formats.cvat_writing import write_cvat, write_cvat_video
from vsodtool.media.annotations.formats.datumaro import read_datumaro
from vsodtool.media.annotations.formats.label_studio import read_label_studio
from vsodtool.media.annotations.formats.label_studio_writing import write_label_studio
from vsodtool.media.annotations.formats.labelme import read_labelme, write_labelme
from vsodtool.media.annotations.formats.labelme_folders import detect_labelme_folders, read_labelme_folders
from vsodtool.media.annotations.formats.mots import detect_mots, read_mots, write_mots
from vsodtool.media.annotations.formats.supervisely import (
    detect_supervisely,
    read_supervisely,
    write_supervisely,
)
from vsodtool.media.annotations.formats.via import detect_via, read_via
from vsodtool.media.annotations.formats.yolo import detect_yolo, read_yolo, write_yolo
from vsodtool.media.annotations.formats.youtube_vis import read_youtube_vis, write_youtube_vis
from vsodtool.media.annotations.json_tree import files_with_keys
from vsodtool.media.annotations.model import Annotations, ReadOptions
from vsodtool.media.annotations.source import Source

Names: TypeAlias = tuple[str, ...]
WriteFile: TypeAlias = Callable[..., Iterator[str]]  # annotations, and for some: names of tags
WriteFiles: TypeAlias = Callable[[Annotations], Iterator[tuple[str, str]]]


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format of annotations.

    Attributes:
        name: as `--masks-format` and `--to` call it.
        title: as people call it.
        detect: the files of a source that are of this format, () if none is.
        read: reads those files; None if it is only written. Classes that the file does not declare, and that
            its shapes have, are added by `read_annotations`.
        write: the text of the one file, piece by piece; or
        write_files: names and texts of many; both None if it is only read.
        write_polygons: `write` with polygons instead of masks, where the format has both.
        one_video: a file holds one video only.
        of_objects: it holds objects over the frames, not shapes, so shapes must have become objects before.
        of_classes: it knows classes only, so that two things of one class are not told apart over the frames.
        bare_is_empty: a frame that is written without shapes says that nothing is there.
        names_tags: `write` takes what a labelling configuration calls things: tag, from_name, to_name,
            image_url; `import_hint` has places for them.
        lossless: whether what is written is exactly what was there.
        import_hint: how to take the file into its tool.
    """

    name: str
    title: str
    detect: Callable[[Source], Names] = lambda _: ()
    read: Callable[[Source, Names, ReadOptions], Annotations] | None = None
    write: WriteFile | None = None
    write_files: WriteFiles | None = None
    write_polygons: WriteFile | None = None
    one_video: bool = False
    of_objects: bool = False
    of_classes: bool = False
    bare_is_empty: bool = False
    names_tags: bool = False
    lossless: bool = True
    import_hint: str = ""


_INTO_CVAT = "in CVAT: open the task, Actions → Upload annotations → CVAT 1.1 (it replaces what is there)"

FORMATS: tuple[Format, ...] = (
    Format(
        name="cvat",
        title="CVAT XML 1.1",
        detect=detect_cvat,
        read=read_cvat,
        write=partial(write_cvat, polygons=False),
        write_polygons=partial(write_cvat, polygons=True),
        one_video=True,
        import_hint=_INTO_CVAT,
    ),
    Format(
        name="cvat-masks",
        title="CVAT Segmentation mask 1.1",
        detect=detect_cvat_masks,
        read=read_cvat_masks,
    ),
    Format(
        name="cvat-video",
        title="CVAT XML 1.1 for video",
        write_polygons=write_cvat_video,
        lossless=False,
        one_video=True,
        of_objects=True,
        import_hint=_INTO_CVAT,
    ),
    Format(
        name="supervisely",
        title="Supervisely",
        detect=detect_supervisely,
        read=read_supervisely,
        write_files=partial(write_supervisely, video=False),
        of_classes=True,
        import_hint="in Supervisely: Import → Supervisely format; put the images beside ann as img",
    ),
    Format(
        name="supervisely-video",
        title="Supervisely video",
        write_files=partial(write_supervisely, video=True),
        of_objects=True,
        import_hint="in Supervisely: Import → Supervisely video format",
    ),
    Format(
        name="coco",
        title="COCO instances",
        detect=lambda source: files_with_keys(source, "images", "annotations", "categories"),
        read=read_coco,
        write=partial(write_coco, polygons=False),
        write_polygons=partial(write_coco, polygons=True),
        import_hint="in CVAT: Upload annotations → COCO 1.0; elsewhere: COCO instances",
    ),
    Format(
        name="youtube-vis",
        title="YouTube-VIS",
        detect=lambda source: files_with_keys(
            source, "videos", "annotations", "categories", without="images"
        ),
        read=read_youtube_vis,
        write=write_youtube_vis,
        of_objects=True,
        import_hint="YouTube-VIS instances, file_names are <video>/<frame>",
    ),
    Format(
        name="label-studio",
        title="Label Studio",
        detect=lambda source: files_with_keys(source, "[]", "annotations", "data"),
        read=read_label_studio,
        write=write_label_studio,
        of_classes=True,
        names_tags=True,
        import_hint="in Label Studio: Import; the configuration has a {tag} tag with labels, "
        'name="{from_name}" toName="{to_name}"',
    ),
    Format(
        name="labelme",
        title="LabelMe",
        detect=lambda source: files_with_keys(source, "shapes"),
        read=read_labelme,
        write_files=partial(write_labelme, masks=True),
        bare_is_empty=True,
        import_hint="put the files beside the images and open the folder in LabelMe",
    ),
    Format(
        name="labelme-folders",
        title="LabelMe's folders of label.png",
        detect=detect_labelme_folders,
        read=read_labelme_folders,
    ),
    Format(
        name="x-anylabeling",
        title="X-AnyLabeling",
        write_files=partial(write_labelme, masks=False),
        bare_is_empty=True,
        lossless=False,
        import_hint="put the files beside the images and open the folder in X-AnyLabeling",
    ),
    Format(
        name="burst",
        title="BURST",
        detect=lambda source: files_with_keys(source, "sequences", "categories"),
        read=read_burst,
        write=write_burst,
        of_objects=True,
        import_hint="BURST sequences; annotated_image_paths are the frames that were written",
    ),
    Format(
        name="mots",
        title="MOTS",
        detect=detect_mots,
        read=read_mots,
        write_files=write_mots,
        lossless=False,
        of_objects=True,
        import_hint="a text for each video, for TrackEval and trackers; classes have numbers only",
    ),
    Format(
        name="datumaro",
        title="Datumaro",
        detect=lambda source: files_with_keys(source, "items", "categories"),
        read=read_datumaro,
    ),
    Format(name="via", title="VIA 2", detect=detect_via, read=read_via),
    Format(
        name="yolo",
        title="YOLO segmentation",
        detect=detect_yolo,
        read=read_yolo,
        write_files=write_yolo,
        of_classes=True,
        bare_is_empty=True,
        import_hint="put the images beside `labels` as `images`; data.yaml names the classes",
    ),
)
