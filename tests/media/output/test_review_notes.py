"""review.json: what is written is what is read."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from vsodtool.media.annotations.objects import ObjectInfo
from vsodtool.media.output.review_notes import (
    FLAGS,
    Note,
    VideoNotes,
    notes_json,
    parse_notes,
    read_notes,
)

texts = st.text(max_size=8)
said = st.builds(Note, st.sampled_from(("", *FLAGS)), texts, texts, texts)
videos = st.dictionaries(
    texts,
    st.builds(
        VideoNotes,
        st.dictionaries(texts, said, max_size=4),
        st.lists(st.builds(ObjectInfo, st.integers(1, 65535), texts, texts), max_size=2).map(tuple),
    ),
    max_size=3,
)


@settings(max_examples=40)
@given(videos)
def test_everything_comes_back(content: dict[str, VideoNotes]) -> None:
    assert parse_notes(notes_json(content), Path("review.json")) == content


def test_where_there_is_no_file_nothing_was_said(tmp_path: Path) -> None:
    assert read_notes(tmp_path / "review.json") == {}
