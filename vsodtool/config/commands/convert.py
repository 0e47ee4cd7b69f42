"""The options of `vsodtool convert`."""

from __future__ import annotations

from pathlib import Path

from vsodtool.checks import whole_number
from vsodtool.config.annotations import AnnotationConfig
from vsodtool.config.option import Panel, configuration, option
from vsodtool.errors import ConfigError

# What the table in media/annotations can write, and folders of masks; a test compares them.
WRITTEN_FORMATS = (
    "cvat",
    "cvat-video",
    "supervisely",
    "supervisely-video",
    "coco",
    "youtube-vis",
    "label-studio",
    "labelme",
    "x-anylabeling",
    "burst",
    "mots",
    "yolo",
    "masks",
)
_FRAMES = ("all", "given", "generated", "corrected")


@configuration
class ConvertConfig(AnnotationConfig):
    """Options of `vsodtool convert`."""

    source: Path = option(
        "An OUT folder of pseudolabel or predict, or annotations of another tool.",
        panel=Panel.WHERE,
        argument=True,
        metavar="OUT|ANNOTATIONS",
    )
    output: str = option(
        "File or folder to write.", default="", panel=Panel.WHERE, short="-o", metavar="FILE|DIR"
    )
    to: str = option("Format to write.", default="", choices=("", *WRITTEN_FORMATS))
    input: tuple[str, ...] = option(
        "The video or frames that annotations of another tool are about; may be repeated.",
        default=(),
        panel=Panel.WHERE,
        metavar="INPUT",
    )
    video: str = option("Only this video.", default="", panel=Panel.WHERE, metavar="NAME")
    frames: str = option(
        "Which frames of OUT: all|given|generated|corrected|every:K, a file of frame names, or one of flags "
        "saved by review (those flagged there).",
        default="all",
        usual=_FRAMES,
        metavar="WHICH",
    )
    min_confidence: float = option(
        "Only generated frames of at least this confidence.", default=0.0, least=0, most=1
    )
    max_confidence: float = option(
        "Only generated frames of at most this confidence.", default=1.0, least=0, most=1
    )
    polygons: bool = option("Polygons instead of masks, holes joined by cuts of no width.", default=False)
    from_name: str = option(
        "Of --to label-studio: name of the tag in the labelling configuration.", default="tag", metavar="NAME"
    )
    to_name: str = option(
        "Of --to label-studio: name of the image in the labelling configuration.",
        default="image",
        metavar="NAME",
    )
    image_url: str = option(
        "Of --to label-studio: where it finds an image; {path} is the video's name and the frame's.",
        default="/data/local-files/?d={path}",
        metavar="URL",
        urls=True,
    )
    ls_tag: str = option(
        "Of --to label-studio: brush, which every version reads, or bitmask, smaller, of 2025 and later.",
        default="brush",
        choices=("brush", "bitmask"),
    )
    check: bool = option("Read, match and report; write nothing.", default=False)

    def __post_init__(self) -> None:
        """Refuse a conversion without a target."""
        super().__post_init__()
        if not self.check and not (self.output and self.to):
            lacking = "--to" if self.output else "-o"
            raise ConfigError(
                f"{lacking}: expected what to write, found nothing", "give -o FILE and --to NAME, or --check"
            )
        if "{path}" not in self.image_url:
            raise ConfigError(
                f"image_url: expected {{path}} in it, found '{self.image_url}'",
                "as --image-url 's3://bucket/{path}'",
            )
        if self.frames.startswith("every:") and not whole_number(self.frames.removeprefix("every:")):
            raise ConfigError(f"frames: expected every:K with K of at least 1, found '{self.frames}'")
