"""Commands out of configurations: every option of the class becomes an argument or a flag.

A flag that is not given is None and leaves the file's value, or the default.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec, TypeAlias, TypeVar, get_type_hints

import typer

from vsodtool.checks import whole_number
from vsodtool.cli.work import at_work
from vsodtool.config import CommonConfig, Option, Panel, load_config, options_of

C = TypeVar("C", bound=CommonConfig)
P = ParamSpec("P")
Command: TypeAlias = Callable[..., None]

_FEW = 5

Json: TypeAlias = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object instead of the table.", rich_help_panel=Panel.RUN),
]
Quiet: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--quiet", help="No progress and no notices; warnings and errors stay.", rich_help_panel=Panel.RUN
    ),
]


def command(
    cls: type[C],
    *,
    work: str,
    load: Callable[[type[C], Path | None, Mapping[str, object]], C] = load_config,
    shipped: Collection[str] = (),
) -> Callable[[Callable[Concatenate[C, P], None]], Command]:
    """Make a command for typer of a function whose first argument is a configuration.

    The command takes each option of the configuration, --config, and whatever else the function takes.

    Args:
        cls: the class of the configuration.
        work: name of the module that does the work; it is loaded once the options are known to be right.
        load: makes it of the class, the file that --config names if any, and the values of the flags.
        shipped: names that --config takes besides files.
    """
    options = {each.name: each for declared in options_of(cls).values() for each in _spellings(declared)}
    among = f", or the name of one that comes along: {', '.join(shipped)}" if shipped else ""
    file = typer.Option(
        "--config",
        help=f"YAML file with options{among}. Flags win over it.",
        metavar="FILE",
        rich_help_panel=Panel.WHERE,
        show_default=False,
        autocompletion=_completion(shipped) if shipped else None,
    )

    def decorate(body: Callable[Concatenate[C, P], None]) -> Command:
        def run(*, config: Path | None, **given: Any) -> None:
            flags = {name: _value(each, given.pop(name)) for name, each in options.items()}
            options_given = load(cls, config, flags)
            with at_work(work):
                body(options_given, **given)  # type: ignore[call-arg]

        hints = get_type_hints(body, include_extras=True)
        _, *rest = inspect.signature(body).parameters.values()
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                *(_parameter(each.name, _type(each), _declaration(each)) for each in options.values()),
                _parameter("config", Path, file),
                *(each.replace(annotation=hints[each.name]) for each in rest),
            ]
        )
        run.__name__, run.__doc__ = body.__name__, body.__doc__
        return run

    return decorate


def _spellings(option: Option) -> Iterator[Option]:
    """An option, and as another one what it was called before, without a word about it."""
    yield replace(option, formerly="")
    if option.formerly:
        yield replace(option, name=option.formerly)


def _parameter(name: str, kind: Any, declaration: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, declaration]
    )


def _type(option: Option) -> Any:
    """What typer makes of the word on the command line."""
    if option.switch is not None:
        return bool
    if option.is_list:
        return list[str]
    return option.kind if option.kind in (bool, int, float) else str


def _declaration(option: Option) -> Any:
    """The argument or option of typer."""
    words = option.choices or option.usual
    known: dict[str, Any] = {
        "help": _help(option),
        "metavar": option.placeholder,
        "show_default": False,
        "autocompletion": _completion(words) if words and option.switch is None else None,
    }
    if option.argument:
        return typer.Argument(**known)
    return typer.Option(*option.flags, rich_help_panel=option.panel, hidden=bool(option.formerly), **known)


def _help(option: Option) -> str:
    """The choices, what the option says, and its default where that says something."""
    parts = [option.sentence]
    if option.choices and option.switch is None:
        separator = "|" if len(option.choices) <= _FEW else ", "  # one long word would be cut off
        parts.insert(0, f"{separator.join(option.choices)}.")
    if option.default_text:
        parts.append(f"Default: {option.default_text}")
    return " ".join(parts).replace("[", r"\[")  # no markup for rich


def _completion(words: Collection[str]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return complete


def _value(option: Option, given: Any) -> Any:
    """What was given on the command line as a value of the configuration; None if nothing was."""
    if given is None:
        return None
    if option.switch is not None:
        return option.switch[0 if given else 1]
    if not option.is_list:
        return given
    words = [word for text in given for word in text.split(",")] if option.has_commas else list(given)
    if option.kind == tuple[int, ...]:
        words = [int(word) if whole_number(word.removeprefix("-")) is not None else word for word in words]
    return words or None
