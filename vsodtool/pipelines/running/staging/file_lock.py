"""Keep other processes from a folder, by a file in it that is held locked."""

from __future__ import annotations

import sys
from typing import IO

from vsodtool.media.output.lock import NO_LOCKS_HERE

if sys.platform != "win32":
    import fcntl


def hold(lock: IO[str], *, shared: bool = False, wait: bool = True) -> bool:
    """Hold a file locked until it is closed; False if another process does, or may.

    On Windows, and on network disks that know no locks, nobody locks.
    """
    if sys.platform == "win32":
        return wait
    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS_HERE:
            raise
        return wait
    return True
