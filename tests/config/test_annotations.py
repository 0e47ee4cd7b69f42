"""What may be said of objects in annotation files."""

from __future__ import annotations

import pytest

from vsodtool.config.annotations import OBJECT_RULES, AnnotationConfig, check_objects
from vsodtool.errors import ConfigError


@pytest.mark.parametrize("value", [*OBJECT_RULES, "attribute:name"])
def test_ways_to_tell_objects_apart(value: str) -> None:
    check_objects(value, OBJECT_RULES)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("tracks", "expected one of auto, track, category, single or attribute:NAME, found 'tracks'"),
        ("", "found ''"),
        ("attribute:", "expected a name after 'attribute:', found none"),
    ],
)
def test_other_ways_are_refused(value: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        check_objects(value, OBJECT_RULES)
    with pytest.raises(ConfigError, match=text):
        AnnotationConfig(objects=value)
