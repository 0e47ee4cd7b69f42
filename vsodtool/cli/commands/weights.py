"""`vsodtool weights`: list, show, verify, convert."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from vsodtool.cli.console import Reporter
from vsodtool.cli.options import Json, Quiet
from vsodtool.cli.output import print_report
from vsodtool.cli.text import Table, help_of
from vsodtool.cli.work import at_work
from vsodtool.config import Panel
from vsodtool.errors import UsageError, WeightsError

_MEGABYTE = 1_000_000

weights = typer.Typer(
    name="weights",
    help="The weights of the networks: what there is, whether it is intact, how to convert the authors'.",
    rich_markup_mode="rich",
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", show_default=False, help="As in `vsodtool weights list`.")
]
NameOrFile = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME|FILE",
        show_default=False,
        help="Weights of the registry, or a .safetensors or .pth file.",
    ),
]


@weights.callback(invoke_without_command=True)
def _weights(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        raise UsageError(
            "weights: no command given, expected list, show, verify or convert",
            "`vsodtool weights list` shows what there is, `vsodtool weights --help` the commands",
        )


def list_(*, json: Json = False, quiet: Quiet = False) -> None:
    """The weights that vsodtool knows.

    Bundled ones come with it, fetched ones are downloaded by torchvision when they are first needed,
    packaged ones come with a Python package of their own, external ones are the paper's: the authors publish
    them, `show` says where.
    """
    del quiet  # there is nothing to be quiet about
    from vsodtool.pipelines.weights import list_weights

    entries = list_weights()
    table = Table(["name", "kind", "origin", "MB", "licence", "from", "what it was trained on"])
    for entry in entries:
        size = f"{entry.size / _MEGABYTE:.1f}" if entry.size else "-"
        table.add(entry.name, entry.kind, entry.origin, size, entry.licence, entry.place, entry.summary)
    print_report({"weights": [entry.as_dict() for entry in entries]}, table, as_json=json)


def show(name: Name, *, json: Json = False, quiet: Quiet = False) -> None:
    """All that is known of weights: source, SHA-256, licence, architecture, scores, how to get them."""
    del quiet
    from vsodtool.pipelines.weights import show_weights

    report = show_weights(name)
    print_report(report, _facts(report), as_json=json)


def verify(
    name: NameOrFile = None,
    *,
    sha256: Annotated[
        str | None,
        typer.Option(
            "--sha256",
            help="What its hash must be.",
            rich_help_panel=Panel.HOW,
            show_default=False,
            metavar="HEX",
        ),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check hash, values, and the name and shape of every tensor; nothing is downloaded or executed.

    Without NAME or FILE: all that is bundled, and what torchvision has fetched and pip installed so far.
    """
    if sha256 is not None and name is None:
        raise UsageError("--sha256 says the hash of one file", "name the file")
    with at_work("vsodtool.pipelines.networks.verify"), Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.networks.verify import DAMAGED, verify_all, verify_weights

        if name is None:
            found = verify_all()
        else:
            found = [verify_weights(name, sha256=sha256 or "", on_event=reporter)]
    table = Table(["name", "state", "architecture", "parameters", "sha256"])
    for one in found:
        table.add(one.name, one.state, one.architecture or "-", one.parameters or "-", one.sha256[:16] or "-")
    print_report({"weights": [one.as_dict() for one in found]}, table, as_json=json)
    damaged = [one for one in found if one.state == DAMAGED]
    if damaged:
        more = f" (and {len(damaged) - 1} more)" if len(damaged) > 1 else ""
        raise WeightsError(
            f"{damaged[0].problem}{more}", "install vsodtool again; delete damaged files of torch's cache"
        )


def convert(
    source: Annotated[
        str, typer.Argument(metavar="IN", show_default=False, help="A .pth or safetensors file, or a name.")
    ],
    output: Annotated[
        Path, typer.Argument(metavar="OUT", show_default=False, help="A file that ends in .safetensors.")
    ],
    *,
    half: Annotated[
        bool,
        typer.Option(
            "--half", help="Store 16-bit floats: half the size, rounded values.", rich_help_panel=Panel.HOW
        ),
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace another file at OUT.", rich_help_panel=Panel.RUN),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check everything, write nothing.", rich_help_panel=Panel.RUN),
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Turn the authors' .pth into a file that says what it is and can hold no code.

    Every tensor must be there, and none may be left over but those of FlowNet2 and the unused classifier.
    The values stay the same to the last digit, unless --half rounds them.
    """
    with at_work("vsodtool.pipelines.networks.convert"), Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.networks.convert import convert_weights

        report = convert_weights(
            source,
            output,
            half=half,
            overwrite=overwrite,
            dry_run=dry_run,
            on_event=reporter,
        ).as_dict()
    print_report(report, _facts(report), as_json=json)


def _facts(values: Mapping[str, Any]) -> Table:
    """What is known, a line each; what is empty is left out."""
    table = Table(["what", "value"])
    for name, value in values.items():
        if isinstance(value, bool):
            table.add(name, "yes" if value else "no")
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                table.add(f"{name} {key}", str(inner))
        elif value not in ("", 0, None):
            table.add(name, str(value))
    return table


_COMMANDS: dict[str, Callable[..., None]] = {
    "list": list_,
    "show": show,
    "verify": verify,
    "convert": convert,
}
for _name, _command in _COMMANDS.items():
    weights.command(_name, help=help_of(_command))(_command)
