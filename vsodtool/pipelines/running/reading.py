"""How annotation files are read: from the options of a verb."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

from vsodtool.config import AnnotationConfig, CommonConfig, ReadingConfig
from vsodtool.media.annotations.label_images import Reading
from vsodtool.media.annotations.mapping import MatchRule
from vsodtool.media.annotations.model import ReadOptions
from vsodtool.media.annotations.objects import ObjectRule
from vsodtool.types import Event, OnEvent


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


def tell_unheard(config: ReadingConfig, on_event: OnEvent, but: Collection[str] = ()) -> None:
    """Say which options of reading annotations were given in vain, as there are folders of pictures only.

    Args:
        config: the options.
        on_event: hears of them, if there are any.
        but: options that say something of folders, too.
    """
    kind = AnnotationConfig if isinstance(config, AnnotationConfig) else ReadingConfig
    common = {*but, *(each.name for each in fields(CommonConfig))}
    own = [each for each in fields(kind) if each.name not in common]
    given = [each.name for each in own if getattr(config, each.name) != each.default]
    if given:
        names = ", ".join(
            f"--{'no-' if name == 'interpolated' else ''}{name.replace('_', '-')}" for name in given
        )
        text = f"{names}: of annotation files only, found folders of masks, which are taken as they are"
        on_event(Event("warning", message=text))
