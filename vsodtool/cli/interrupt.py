"""Ctrl-C from the first moment of the process to its last: exit code 130 and one line, never a traceback.

Before and after the work there is nothing to tidy up, and an exception could do harm: it would abort
libraries that are being loaded, and interrupt Python's own end. There the process leaves at once. In between,
Ctrl-C raises KeyboardInterrupt as usual. Where it is ignored (`nohup`, a job in the background of a script)
it stays ignored.
"""

from __future__ import annotations

# `signal` itself first builds enumerations, in which Ctrl-C would be Python's own.
import _signal as signal  # type: ignore[import-not-found]  # typeshed has only `signal`
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

CODE = 130
LINE = "interrupted; run the same command again to continue\n"

_asked = False


def leave_at_once() -> None:
    """From now on, but for what is done within `Raised`."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def was_asked() -> bool:
    """Whether Ctrl-C was pressed during the work, so that any exception that follows may stem from it."""
    return _asked


class Raised:
    """In a `with` block of this, Ctrl-C raises KeyboardInterrupt. One that Python would drop, because an
    object was being tidied up, makes the process leave."""

    def __enter__(self) -> None:
        self._minded = signal.getsignal(signal.SIGINT) is _leave
        if self._minded:
            sys.unraisablehook = _leave_for_lost
            signal.signal(signal.SIGINT, _raise)

    def __exit__(self, *_: object) -> None:
        if self._minded:
            signal.signal(signal.SIGINT, _leave)
            sys.unraisablehook = sys.__unraisablehook__


def _leave(number: int, frame: FrameType | None) -> None:
    """Without an import, which could be of what is just being imported."""
    del number, frame
    try:  # noqa: SIM105  contextlib would be an import
        os.write(2, LINE.encode())
    except OSError:  # nobody reads it
        pass
    os._exit(CODE)


def _raise(number: int, frame: FrameType | None) -> None:
    del number, frame
    global _asked  # noqa: PLW0603  a signal belongs to the process
    _asked = True
    raise KeyboardInterrupt


def _leave_for_lost(lost: sys.UnraisableHookArgs) -> None:
    if isinstance(lost.exc_value, KeyboardInterrupt):
        _leave(signal.SIGINT, None)
    sys.__unraisablehook__(lost)
