"""Options that several commands share. A flag that is not given is None and leaves the file's value."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from vsodtool.config.schema import BACKENDS, QUALITIES

WHERE = "Where"
HOW = "How"
EXTRA = "Also write"
RUN = "The run"


def option(*names: str, help: str, panel: str, default: Any = None, metavar: str | None = None) -> Any:
    """An option that is None when it is not given; `default` is only what the help says."""
    if default is not None:
        help = f"{help} Default: {default}"
    return typer.Option(*names, help=help, rich_help_panel=panel, show_default=False, metavar=metavar)


def choose(*names: str, among: tuple[str, ...], help: str, default: str) -> Any:
    """An option with a closed set of values; the configuration checks them, wherever they come from."""
    return option(*names, help=f"{'|'.join(among)}. {help}", panel=HOW, default=default, metavar="NAME")


Inputs: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUT",
        show_default=False,
        help="Videos, folders of frames, folders of videos, DAVIS-style roots; - reads names from stdin.",
    ),
]
Output: TypeAlias = Annotated[
    str | None,
    option("-o", "--output", help="Folder for the results.", panel=WHERE, metavar="OUT"),
]
Config: TypeAlias = Annotated[
    Path | None,
    option("--config", help="YAML file with options; flags win over it.", panel=WHERE, metavar="FILE"),
]
Backend: TypeAlias = Annotated[
    str | None,
    choose(
        "--backend",
        among=BACKENDS,
        help="Optical flow; auto is raft-large on CUDA where its weights lie, else dis.",
        default="auto",
    ),
]
Quality: TypeAlias = Annotated[
    str | None,
    choose("--quality", among=QUALITIES, help="Speed against quality.", default="balanced"),
]
Device: TypeAlias = Annotated[
    str | None,
    option(
        "--device",
        help="auto|cpu|cuda|cuda:N|mps. Where to compute; an absent device is refused.",
        panel=RUN,
        default="auto",
        metavar="NAME",
    ),
]
Workers: TypeAlias = Annotated[
    int | None, option("--workers", help="Threads; 0 = all cores.", panel=RUN, default=0, metavar="N")
]
Shard: TypeAlias = Annotated[
    str | None,
    option(
        "--shard",
        help="Work on the I-th of N parts of the videos (1/4 ... 4/4), for job arrays into one OUT.",
        panel=RUN,
        metavar="I/N",
    ),
]
Seed: TypeAlias = Annotated[
    int | None, option("--seed", help="Of everything random.", panel=RUN, default=0, metavar="N")
]
Overwrite: TypeAlias = Annotated[
    bool | None,
    option(
        "--overwrite/--no-overwrite",
        help="Replace results that an earlier run with other options or inputs left in OUT.",
        panel=RUN,
    ),
]
DryRun: TypeAlias = Annotated[
    bool | None,
    option("--dry-run/--no-dry-run", help="Check everything, say what would be done, do nothing.", panel=RUN),
]
Json: TypeAlias = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object instead of the table.", rich_help_panel=RUN),
]
Quiet: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--quiet", help="No progress and no notices; warnings and errors stay.", rich_help_panel=RUN
    ),
]
