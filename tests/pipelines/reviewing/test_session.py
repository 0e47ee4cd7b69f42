"""A session of the review page: what it opens, and what it does after it could not."""

from __future__ import annotations

import pytest

from tests.pipelines.reviewing.conftest import MakeOut
from vsodtool.errors import DataError
from vsodtool.pipelines.reviewing.folder import open_folder
from vsodtool.pipelines.reviewing.session import Session


def test_a_video_that_could_not_be_opened_says_so_again_and_opens_once_it_is_mended(
    make_out: MakeOut,
) -> None:
    out = make_out()
    path = out.layout.masks("clip", "00000")
    good = path.read_bytes()
    path.write_bytes(b"no picture")
    with Session(open_folder(out.root), read_only=True) as session:
        for _ in range(2):  # the first time while the browser starts
            with pytest.raises(DataError, match=r"00000\.png"):
                session.video(0)
        path.write_bytes(good)
        assert session.video(0).size == out.size
