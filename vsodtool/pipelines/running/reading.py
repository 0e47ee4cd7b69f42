"""How annotation files are read: from the options of a verb."""

from __future__ import annotations

from vsodtool.config import AnnotationConfig, ReadingConfig
from vsodtool.media.annotations.label_images import Reading
from vsodtool.media.annotations.mapping import MatchRule
from vsodtool.media.annotations.model import ReadOptions
from vsodtool.media.annotations.objects import ObjectRule


def reading_of(config: ReadingConfig, objects: str = "auto") -> Reading:
    """How annotation files are read.

    Args:
        config: the options.
        objects: what an object is, for verbs whose options do not say it.
    """
    own = config if isinstance(config, AnnotationConfig) else None
    options = ReadOptions(
        boxes=config.boxes,
        predictions=own is not None and own.predictions,
        interpolated=config.interpolated,
        skip_bad=config.skip_bad,
        empty_tags=(*ReadOptions().empty_tags, *filter(None, [config.empty_tag.lower()])),
    )
    return Reading(
        config.masks_format,
        options,
        MatchRule(config.match, config.frame_offset, config.empty),
        ObjectRule(
            objects if own is None else own.objects,
            frozenset(filter(None, map(str.strip, config.classes.split(",")))),
        ),
    )
