"""What a shell offers after the tab key, and how it is set up."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Process = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("vsodtool pre", {"predict"}),
        ("vsodtool train vi", {"video"}),
        ("vsodtool pseudolabel clip.mp4 --label-flow ", {"auto", "composed", "direct"}),
        ("vsodtool flow --qu", {"--quality", "--quiet"}),
        ("vsodtool pseudolabel --fl", set()),  # an older name is understood, but not offered
        (
            "vsodtool train --config train-video-",
            {"train-video-looks", "train-video-motion", "train-video-small"},
        ),
    ],
)
def test_commands_flags_and_choices(process: Process, line: str, offered: set[str]) -> None:
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    done = process(env={**words, "_VSODTOOL_COMPLETE": "complete_bash"})
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.split()) == offered


def test_a_shell_is_set_up(process: Process, tmp_path: Path) -> None:
    shell = {"HOME": str(tmp_path), "SHELL": "/bin/bash", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    shown = process("--show-completion", "bash", env=shell)
    assert shown.returncode == 0
    assert "_VSODTOOL_COMPLETE=complete_bash" in shown.stdout
    installed = process("--install-completion", "bash", env=shell)
    assert installed.returncode == 0
    script = tmp_path / ".bash_completions" / "vsodtool.sh"
    assert "complete -o default -F _vsodtool_completion vsodtool" in script.read_text()
    assert str(script) in (tmp_path / ".bashrc").read_text()
