"""What to do next, told on stderr after a run."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vsodtool.cli.console import write_err
from vsodtool.cli.text import printable
from vsodtool.config.shell_words import shell_word
from vsodtool.config.url import is_url
from vsodtool.pipelines.running.ranks import Rank

FRAMES = 5  # that are named
_BY_MODULE = "__main__.py"


def tell_next_step(worst: Sequence[tuple[str, Mapping[str, float]]], output: Path) -> None:
    """Name the frames of labels that are least sure, and the commands that go on from there.

    Args:
        worst: for each video its name and frames that are least sure, with their confidence in [0, 1].
        output: the folder of the labels.
    """
    found = [(value, video, frame) for video, frames in worst for frame, value in frames.items()]
    if not found:
        return
    found.sort(key=lambda each: each[0])
    several = len(worst) > 1
    named = [
        f"{f'{video}/' if several else ''}{frame} ({value:.2f})" for value, video, frame in found[:FRAMES]
    ]
    tool, folder = _tool(), shell_word(output)
    lines = [
        f"least sure, spread over time: {', '.join(named)}",
        f"next: {tool} review {folder}",
        f"  or: {tool} suggest {folder} -n {FRAMES} --export stills, draw their masks into stills/masks, and "
        "the same command again with --update and also --masks stills/masks",
    ]
    if is_url(output):  # `review` saves as one draws
        lines[1:] = [
            f"next: copy {folder} to a disk, {tool} review it there, copy its corrections/ back, and the "
            "same command again with --update"
        ]
    _tell(lines)


def tell_after_predict(output: Path) -> None:
    """How to look at what a detector found, and to correct it."""
    if not is_url(output):
        _tell([f"next: {_tool()} review {shell_word(output)}"])


def tell_after_training(weights: Path) -> None:
    """How to use a detector that was trained."""
    _tell([f"next: {_tool()} predict VIDEO --weights {shell_word(weights)} -o out --masks"])


def tell_first_steps(labels: Path) -> None:
    """After the demo: how to look at what it made, and how to begin with a video of one's own.

    Args:
        labels: the folder of the demo's labels.
    """
    tool, folder = _tool(), shell_word(labels)
    _tell(
        [
            f"look through it: {tool} review {folder}",
            f"your own video: {tool} suggest VIDEO -n 6 --export stills, mask these frames, "
            f"{tool} pseudolabel VIDEO --masks MASKS -o labels",
        ]
    )


def _tool() -> str:
    """What the user has to type for this program."""
    if shutil.which("vsodtool"):
        return "vsodtool"
    started = sys.argv[0]
    # A package that was started by -m is no program by itself.
    return (
        f"{shell_word(sys.executable)} -m vsodtool"
        if Path(started).name == _BY_MODULE
        else shell_word(started)
    )


def _tell(lines: Sequence[str]) -> None:
    rank = Rank.from_environment()
    if rank is not None and rank.number > 0:
        return  # rank 0 says it
    write_err("".join(f"{printable(line)}\n" for line in lines))
