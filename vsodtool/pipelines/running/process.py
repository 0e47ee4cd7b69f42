"""Settings of this process: how freed memory is kept, and how many threads torch uses."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MOST_ARENAS = -1, -3, -8  # <malloc.h>
_KEPT = 64 * 2**20  # bytes
_KERNELS = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"


def keep_freed_memory() -> bool:
    """Make glibc reuse large blocks; for the whole process, and only where there is glibc.

    Tensors of a few megabytes come and go thousands of times. Each one fetched from the kernel costs a page
    fault per 4 KiB, which took a tenth of the time of `pseudolabel --quality fast`. The peak does not grow:
    threads share what is kept, an arena for each core, where glibc would keep eight (70 MiB on two cores).

    Returns:
        Whether it took effect.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # musl, or something rarer: slower, nothing else
        return False
    arenas = max(os.cpu_count() or 1, 2)
    settings = ((_MMAP_THRESHOLD, _KEPT), (_TRIM_THRESHOLD, _KEPT), (_MOST_ARENAS, arenas))
    taken = [mallopt(option, value) for option, value in settings]
    return taken == [1, 1, 1]


def keep_few_kernels() -> None:
    """Let oneDNN remember the kernels of few sizes of images, unless the environment says how many.

    It keeps 1,024 with their scratch memory: boxes around objects have so many sizes that at 854x480 they
    took 400 MiB. The networks need some 60 for a box of one size, so with fewer they are made anew in every
    frame. Works until the first convolution.
    """
    os.environ.setdefault(_KERNELS, "128")


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch use `count` threads within one call, also in threads that are begun in the block."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
