"""Options of a verb -> how annotation files are read."""

from __future__ import annotations

from pathlib import Path

from vsodtool.config import ConvertConfig, EvaluateConfig
from vsodtool.media.annotations.label_images import Reading
from vsodtool.media.annotations.mapping import MatchRule
from vsodtool.media.annotations.objects import ObjectRule
from vsodtool.pipelines.running.reading import reading_of


def test_nothing_said_is_the_default() -> None:
    assert reading_of(ConvertConfig(source=Path("a"), check=True)) == Reading()
    assert reading_of(EvaluateConfig(predictions=("a", "b"))) == Reading()


def test_everything_that_is_said_arrives() -> None:
    reading = reading_of(
        ConvertConfig(
            source=Path("a"), check=True, masks_format="coco", match="number", frame_offset=-1,
            objects="track", classes=" dog, cat,,", empty="given", empty_tag="Leer", boxes=True,
            predictions=True, interpolated=False, skip_bad=True,
        )
    )  # fmt: skip
    assert reading.format == "coco"
    assert reading.match == MatchRule("number", -1, "given")
    assert reading.objects == ObjectRule("track", frozenset({"dog", "cat"}))
    options = reading.options
    assert (options.boxes, options.predictions, options.interpolated, options.skip_bad) == (
        True,
        True,
        False,
        True,
    )
    assert options.empty_tags[-1] == "leer"
    assert "no_object" in options.empty_tags


def test_verbs_without_the_option_say_what_an_object_is() -> None:
    config = EvaluateConfig(predictions=("a", "b"), objects="single")
    assert reading_of(config, "category").objects.how == "category"
