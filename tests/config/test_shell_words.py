from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from vsodtool.config.shell_words import shell_word, shell_words


@pytest.mark.parametrize("text", ["my labels", "a'b", "$HOME", "[a]*", "~x", "100%", "/abs/-x", "-", "ünï"])
def test_a_shell_reads_the_path(text: str) -> None:
    assert shlex.split(shell_word(text)) == [text]


def test_no_path_is_an_option() -> None:
    assert shell_word(Path("-out")) == "./-out"
    assert shell_words(["a", "-my clip.mp4", "-"]) == "a './-my clip.mp4' -"
