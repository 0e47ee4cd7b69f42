"""The options of reading annotation files, in the same words for every command that takes masks."""

from __future__ import annotations

from collections.abc import Collection

from vsodtool.config.base import CommonConfig
from vsodtool.config.option import Panel, configuration, option
from vsodtool.errors import ConfigError

# The names of the table in media/annotations, which may be read; a test compares them.
MASK_FORMATS = (
    "auto",
    "cvat",
    "cvat-masks",
    "supervisely",
    "coco",
    "youtube-vis",
    "label-studio",
    "labelme",
    "labelme-folders",
    "burst",
    "mots",
    "datumaro",
    "via",
    "yolo",
)
OBJECT_RULES = ("auto", "track", "category", "single")


@configuration
class ReadingConfig(CommonConfig):
    """How annotation files of other tools are read; folders of masks have none of these questions."""

    masks_format: str = option(
        "Format of an annotation file; auto finds it out by content.",
        default="auto",
        choices=MASK_FORMATS,
        panel=Panel.ANNOTATIONS,
    )
    match: str = option(
        "Frames by name, by number or by order in the file; auto is name for folders, number for videos.",
        default="auto",
        choices=("auto", "name", "number", "index"),
        panel=Panel.ANNOTATIONS,
    )
    frame_offset: int = option(
        "Added to the numbers of frames: -1 where they are counted from 1, as ffmpeg counts stills.",
        default=0,
        panel=Panel.ANNOTATIONS,
    )
    classes: str = option(
        "Only shapes of these classes, with commas between.",
        default="",
        metavar="A,B",
        panel=Panel.ANNOTATIONS,
    )
    empty: str = option(
        "A frame that is listed without shapes: unknown, or given, which says that nothing is there.",
        default="unknown",
        choices=("unknown", "given"),
        panel=Panel.ANNOTATIONS,
    )
    empty_tag: str = option(
        "Of CVAT: a tag that says that nothing is in the frame, beside empty, no_object, background and "
        "annotated.",
        default="",
        metavar="NAME",
        panel=Panel.ANNOTATIONS,
    )
    boxes: bool = option("Take boxes for masks.", default=False, panel=Panel.ANNOTATIONS)
    interpolated: bool = option(
        "Of CVAT: take interpolated shapes beside a key frame of another object.",
        default=True,
        panel=Panel.ANNOTATIONS,
    )
    skip_bad: bool = option(
        "Leave shapes out that cannot be read, and count them.", default=False, panel=Panel.ANNOTATIONS
    )


@configuration
class AnnotationConfig(ReadingConfig):
    """How they are read where objects matter, and where what a model said may be taken."""

    objects: str = option(
        "What an object is over the frames: auto|track|category|single|attribute:NAME.",
        default="auto",
        usual=OBJECT_RULES,
        metavar="HOW",
        panel=Panel.ANNOTATIONS,
    )
    predictions: bool = option(
        "Of Label Studio: take predictions where there is no annotation.",
        default=False,
        panel=Panel.ANNOTATIONS,
    )

    def __post_init__(self) -> None:
        """Refuse ways to tell objects apart that do not exist."""
        super().__post_init__()
        check_objects(self.objects, OBJECT_RULES)


def check_objects(value: str, rules: Collection[str]) -> None:
    """Refuse a value of `--objects` that is neither one of some rules nor attribute:NAME.

    Raises:
        ConfigError: it is not.
    """
    if value in rules:
        return
    if not value.startswith("attribute:"):
        raise ConfigError(f"objects: expected one of {', '.join(rules)} or attribute:NAME, found '{value}'")
    if value == "attribute:":
        raise ConfigError("objects: expected a name after 'attribute:', found none")
