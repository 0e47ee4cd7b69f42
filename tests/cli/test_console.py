from __future__ import annotations

import io
import sys

import pytest

from vsodtool.cli.console import Reporter
from vsodtool.types import Event

EVENTS = [
    Event("notice", message="flow: dis"),
    Event("video", "a", total=2),
    Event("frame", "a", done=1, total=2),
    Event("warning", "a", "a: frame 1: does not [decode]"),
    Event("frame", "a", done=2, total=2),
    Event("done", "a", "2 flows"),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def tell(**options: bool) -> None:
    with Reporter(**options) as reporter:
        for event in EVENTS:
            reporter(event)


def test_without_a_terminal_there_are_lines_and_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    tell()
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "flow: dis\nwarning: a: frame 1: does not [decode]\na: 2 flows\n"


def test_quiet_keeps_the_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    tell(quiet=True)
    assert capsys.readouterr() == ("", "warning: a: frame 1: does not [decode]\n")


def test_a_terminal_gets_bars_and_lines_above(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    tell()
    shown = terminal.getvalue()
    assert "\x1b[" in shown
    assert "does not [decode]" in shown
    assert "a: 2 flows" in shown


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    tell()
    assert not [code for code in range(30, 108) if f"\x1b[{code}m" in terminal.getvalue()]


@pytest.mark.parametrize("quiet", [True, False])
def test_a_dumb_terminal_or_quiet_gets_no_bar(monkeypatch: pytest.MonkeyPatch, quiet: bool) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm" if quiet else "dumb")
    tell(quiet=quiet)
    assert "\x1b" not in terminal.getvalue()


def test_the_time_left_counts_from_the_first_piece_of_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Finding cuts and loading networks are no part of the work that the share is of."""
    terminal, clock = Terminal(), [0.0]
    monkeypatch.setattr("vsodtool.cli.console.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    shown = []
    with Reporter() as reporter:
        for clock[0], share, stage in (
            (0.0, 0.0, ""),
            (50.0, 0.0, "comparing"),
            (60.0, 0.1, ""),
            (70.0, 0.3, ""),
        ):
            reporter(Event("frame", "a", stage, done=1, total=9, share=share))
            assert reporter._bars is not None
            shown.append(reporter._bars.tasks[0].fields["left"])
    assert shown == ["-:--:--", "-:--:--", "0:01:30", "0:00:47"]
