"""Compile `source/` into one shared library beside this file.

    python -m vsodtool.native.build

Done by every installation (`hook.py`); where there is no C compiler vsodtool works without it, slower.
Nothing of vsodtool is imported here: an installation runs this before there is any.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

_HERE = Path(__file__).parent
SOURCES = _HERE / "source"
LIBRARY = _HERE / ("compiled.dll" if sys.platform == "win32" else "compiled.so")

# Not -ffast-math: nothing may be reordered or contracted, so that every machine computes the same bits.
FLAGS = (
    "-std=gnu11",
    "-O3",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=off",
    "-fvisibility=hidden",
)
_CLONES = "-DVSOD_CLONES"  # loops for several generations of x86, chosen when the library is loaded


class BuildError(Exception):
    """There is no compiler, or it refused; the message says which, and what it said."""


def fingerprint() -> str:
    """Of the sources: a library of other ones is not used."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def compiler() -> list[str]:
    """The command of a C compiler: $CC, else that of Python, else cc, gcc or clang.

    Raises:
        BuildError: there is none.
    """
    for name in (os.environ.get("CC"), sysconfig.get_config_var("CC"), "cc", "gcc", "clang"):
        command = shlex.split(name) if name else []
        if command and shutil.which(command[0]):
            return command
    raise BuildError("no C compiler: neither $CC, cc, gcc nor clang is on the PATH")


def build(library: Path = LIBRARY) -> Path:
    """Compile the sources; a library that is there is replaced at once.

    Args:
        library: where to.

    Raises:
        BuildError: there is no compiler, or it refused.
        OSError: the place cannot be written.
    """
    command = compiler()
    with tempfile.TemporaryDirectory(dir=library.parent, prefix=".build-") as folder:
        made = Path(folder) / library.name
        said = ""
        for more in ((_CLONES,), ()):  # some compilers and C libraries have no clones
            parts = [*command, *FLAGS, *more, f'-DVSOD_SOURCES="{fingerprint()}"', "-shared", "-fPIC"]
            parts += [*map(str, sorted(SOURCES.glob("*.c"))), "-o", str(made), "-lm"]
            try:
                run = subprocess.run(parts, capture_output=True, text=True, check=False, timeout=300)
            except (OSError, subprocess.TimeoutExpired) as error:
                raise BuildError(f"{command[0]}: {error}") from None
            if run.returncode == 0:
                made.replace(library)
                return library
            said = run.stderr.strip() or f"exit {run.returncode}"
    raise BuildError(f"{command[0]}: {said}")


def main() -> int:
    """Build, and say so on stderr; 1 where it failed."""
    try:
        sys.stderr.write(f"compiled {build()}\n")
    except (BuildError, OSError) as error:
        sys.stderr.write(f"not compiled, labels will take longer: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
