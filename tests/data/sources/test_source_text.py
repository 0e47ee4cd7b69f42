"""What --data may say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.data.sources.test_training_data import Disks, load
from vsodtool.data.sources.source_text import (
    DatasetSource,
    PairSource,
    PseudoSource,
    is_pseudo_output,
    parse_source,
)
from vsodtool.errors import ConfigError, DataError


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("absent", DataError, "absent: expected training data, found nothing there"),
        ("dataset:davis2017@.", ConfigError, "unknown dataset 'davis2017'"),
        ("dataset:davis2016/test@.", ConfigError, "no split 'test'"),
        ("dataset:davis2016", ConfigError, "expected dataset:NAME/SPLIT@ROOT"),
        (".::", ConfigError, "expected IMAGES::MASKS"),
        (".", DataError, "expected images/ and masks/ or"),
        ("a.txt", DataError, "expected training data, found a file"),
    ],
)
def test_texts_that_are_no_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, kind: type[Exception], found: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").touch()
    with pytest.raises(kind, match=re.escape(found)):
        load(tmp_path, text)


def test_each_kind_of_source_is_recognised(tmp_path: Path, disk: Disks) -> None:
    davis, stills = disk("d").davis(["a"]), disk("s").stills(3)
    assert parse_source(str(davis)) == PairSource(str(davis), davis, davis)
    text = f"video:{stills}"
    assert parse_source(text) == PairSource(text, stills / "images", stills / "masks", "video")
    pair = f"{stills / 'images'}::{stills / 'masks'}"
    assert parse_source(pair) == PairSource(pair, stills / "images", stills / "masks")
    pseudo = disk("p").pseudo(davis, every=4)
    assert is_pseudo_output(pseudo)
    assert not is_pseudo_output(davis)
    assert parse_source(str(pseudo)) == PseudoSource(str(pseudo), pseudo)
    moved = f"{davis}::{pseudo}"
    assert parse_source(moved) == PseudoSource(moved, pseudo, davis)
    named = parse_source(f"dataset:davis2016/train@{davis}")
    assert isinstance(named, DatasetSource)
    assert (named.layout.name, named.split, named.root) == ("davis2016", "train", davis)
