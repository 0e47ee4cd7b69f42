"""Compiles `source/` when a wheel is built or vsodtool is installed from its sources (hatchling calls it)."""

from __future__ import annotations

import runpy
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileHook(BuildHookInterface[Any]):
    """A wheel for this kind of machine where there is a C compiler, else one for all that has no library."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into the source tree, which an editable installation uses, and add it to the wheel."""
        del version
        builder = runpy.run_path(str(Path(self.root, "vsodtool", "native", "build.py")))
        try:
            library = builder["build"]()
        except (builder["BuildError"], OSError) as error:
            self.app.display_warning(f"vsodtool: not compiled, labels will take longer: {error}")
            return
        build_data["artifacts"].append(f"/{Path(library).relative_to(self.root).as_posix()}")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
