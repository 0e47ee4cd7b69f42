"""The densifier methods. A new one is a class in `pipelines/densify/methods/` and a line of `METHODS`.

No torch here: what makes a method is named, and imported when one is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vsodtool.config.option import TableNames

AUTO = "auto"
EVERY_QUALITY = ("fast", "balanced", "best")


@dataclass(frozen=True, kw_only=True)
class DensifierMethod:
    """A line of the table.

    Attributes:
        summary: what it is, in a few words, for the help.
        make: "module:function" of what makes it, from a `pipelines.densify.method.MethodSetup`.
        weights: kinds of network whose weights it can use, the preferred one first; () if it needs none.
        foreign: "module:function" of what loads its weights where they are of another library, as a
            `pipelines.networks.foreign.LoadForeign`; "" if they are not. Auto tries it only where it is
            installed and its weights are at hand.
        uses_flow: whether it looks at motion that is estimated for it.
        smoothed: qualities at which the neighbours of a frame steady its labels.
        thinned: quality -> frames from one label to the next between which it makes every second frame only;
            the others are taken from their neighbours.
        in_auto: whether `--method auto` may try it; the first line of these is the default in doubt.
        handicap: J by which it must be ahead on hidden labels besides, with several objects, for each frame
            by which these are further from their labels than the frames to fill.
    """

    make: str
    summary: str = ""
    weights: tuple[str, ...] = ()
    foreign: str = ""
    uses_flow: bool = True
    smoothed: tuple[str, ...] = EVERY_QUALITY
    thinned: Mapping[str, range] = field(default_factory=dict)
    in_auto: bool = False
    handicap: float = 0.0


METHODS: dict[str, DensifierMethod] = {
    "fgplg": DensifierMethod(
        summary="a network, learned",
        make="vsodtool.pipelines.densify.methods.learned:learned_method",
        weights=("densifier", "fgplg"),
        thinned={"fast": range(4, 13)},  # benchmarks/TRIED.md, "Every second frame"
        in_auto=True,
    ),
    # At `fast` smoothing would slow it down by an eighth; beside a network's time it is nothing.
    "warp": DensifierMethod(
        summary="rules alone, without weights",
        make="vsodtool.pipelines.densify.quality:warp_method",
        smoothed=("balanced", "best"),
        in_auto=True,
        handicap=0.014,  # benchmarks/TRIED.md, "Which method for an object"
    ),
    "sam2": DensifierMethod(
        summary="SAM 2 video, if `vsodtool[sam2]` is installed",
        make="vsodtool.pipelines.densify.methods.sam2:sam2_method",
        foreign="vsodtool.pipelines.networks.sam2:load_sam2",
        uses_flow=False,
        smoothed=(),  # it has a memory of its own
        in_auto=True,
    ),
}


METHOD_NAMES: Sequence[str] = TableNames(lambda: (AUTO, *METHODS))


def candidate_methods(method: str) -> tuple[str, ...]:
    """The methods that one of METHOD_NAMES stands for, the default first; foreign ones if they are there."""
    return tuple(name for name, line in METHODS.items() if line.in_auto) if method == AUTO else (method,)


def kinds_of_weights(method: str) -> tuple[str, ...]:
    """The kinds of network that one of METHOD_NAMES can use, the preferred one first."""
    return tuple(dict.fromkeys(kind for name in candidate_methods(method) for kind in METHODS[name].weights))


def takes_weights(method: str) -> bool:
    """Whether one of METHOD_NAMES reads weights that a user may name."""
    return any(METHODS[name].weights or METHODS[name].foreign for name in candidate_methods(method))


def uses_flow(method: str) -> bool:
    """Whether one of METHOD_NAMES looks at motion."""
    return any(METHODS[name].uses_flow for name in candidate_methods(method))
