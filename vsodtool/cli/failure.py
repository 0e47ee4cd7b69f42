"""The one place where an exception becomes text on stderr and an exit code."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Callable

import typer

from vsodtool import __version__
from vsodtool.checks import device_failure, is_out_of_memory
from vsodtool.cli import interrupt
from vsodtool.cli.console import write_err
from vsodtool.cli.ranks import is_news, speaker
from vsodtool.cli.streams import STDOUT, drop
from vsodtool.cli.text import printable
from vsodtool.cli.work import check_working_folder
from vsodtool.errors import DataError, DeviceError, UsageError, VsodtoolError

BUG = 1

# Click's base class of usage errors; typer may bring its own copy of Click and exports no name for it.
_ClickUsageError = typer.BadParameter.__mro__[1]

_MEMORY_HINT = "use smaller frames, fewer --workers or a lower --quality"
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
# Names that no file can have, or that lead nowhere.
_BAD_PATH = frozenset({errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ESTALE})
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.EAGAIN})


def exit_code_of(run: Callable[[], object]) -> int:
    """Run the command line and return its exit code; whatever goes wrong is said on stderr.

    Args:
        run: the application; its result is an exit code, or None for 0.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")  # names of files may be anything
    code = _guarded(run)
    try:
        sys.stdout.flush()
    except OSError as error:
        drop(1)
        code = code or _explain(error)
    return code


def _guarded(run: Callable[[], object]) -> int:
    try:
        result = run()
        code = result if isinstance(result, int) else 0
        if code == interrupt.CODE:  # what newer typers make of Ctrl-C
            raise KeyboardInterrupt
    except (KeyboardInterrupt, typer.Abort):
        write_err(interrupt.LINE)
        return interrupt.CODE
    except SystemExit as error:
        if isinstance(
            error.__context__, BrokenPipeError
        ):  # Click takes each for one of stdout; see `streams`
            return _explain(error.__context__)
        raise
    except Exception as error:  # noqa: BLE001  every exception ends here, as text and a code
        if interrupt.was_asked():
            write_err(interrupt.LINE)
            return interrupt.CODE
        return _explain(error)
    return code


def _explain(error: Exception) -> int:
    known = _known(error)
    if known is None or known.exit_code == BUG:
        write_err("".join(traceback.format_exception(error)))
        write_err(f"this is a bug in vsodtool {__version__}: please report it with the lines above\n")
        return BUG
    if not is_news(known.message):
        return known.exit_code
    write_err(f"error: {speaker()}{printable(known.message)}\n")
    if known.hint:
        write_err(f"hint: {printable(known.hint)}\n")
    return known.exit_code


def _known(error: Exception) -> VsodtoolError | None:
    """The expected error that `error` is or stands for; None for a bug."""
    if isinstance(error, VsodtoolError):
        return error
    if isinstance(error, _ClickUsageError):
        return _usage(error)
    if is_out_of_memory(error):
        return DeviceError("out of memory", _MEMORY_HINT)
    if isinstance(error, OSError):
        return _system(error)
    failure = device_failure(error)
    if failure is not None:
        return DeviceError(f"the GPU cannot do this: {_shortened(failure)}", "use --device cpu")
    return None


def _usage(error: Exception) -> UsageError:
    message = str(getattr(error, "format_message", lambda: error)())
    context = getattr(error, "ctx", None)
    command = getattr(context, "command_path", "vsodtool")
    return UsageError(message.removesuffix("."), f"`{command} --help` shows the options")


def _system(error: OSError) -> VsodtoolError | None:
    where = f" ({_shortened(error.filename)})" if error.filename else ""
    if error.errno in _BAD_PATH:
        reason = (error.strerror or "not a path").lower()
        return DataError(
            f"expected a path that can exist, found one that cannot: {reason}{where}", "check it"
        )
    if error.errno in _DISK_FULL:
        return DeviceError(f"disk full{where}", "free some space and run the same command again")
    if error.errno in _DENIED:
        return DeviceError(f"permission denied{where}", "change the permissions, or choose another place")
    if error.errno in _EXHAUSTED or error.filename == STDOUT:
        return DeviceError(f"the system refuses: {error.strerror}{where}", "free resources and run again")
    if error.errno == errno.ENOENT and not error.filename:
        return _working_folder_gone()
    return None


def _working_folder_gone() -> DeviceError | None:
    """Whether that is why a path without a name was not found: a relative one was to be made absolute."""
    try:
        check_working_folder()
    except DeviceError as error:
        return error
    return None


def _shortened(path: object) -> str:
    """A path as messages show it: both ends of a long one."""
    text = str(path)
    return text if len(text) <= 120 else f"{text[:60]}...{text[-50:]}"
