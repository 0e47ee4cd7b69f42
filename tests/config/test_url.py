"""URLs stand where paths may, and stay what they are."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from vsodtool.config.url import UrlPath, is_url, to_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://team/labels", True),
        ("HTTPS://a.b/c.mp4", True),
        ("clips/s3://x", False),
        ("C:/clips", False),
        ("", False),
        (7, False),
        (None, False),
    ],
)
def test_what_is_a_url(text: object, expected: bool) -> None:
    assert is_url(text) is expected


def test_a_url_keeps_both_its_slashes_wherever_it_goes() -> None:
    path = to_path("s3://team//labels/")
    assert isinstance(path, UrlPath)
    assert is_url(path)
    assert str(path) == str(pickle.loads(pickle.dumps(path))) == "s3://team//labels/"
    assert to_path("clips/a") == Path("clips/a")
    assert not is_url(to_path("clips/a"))
