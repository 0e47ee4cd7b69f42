"""The densifier methods. A new one is a class in `pipelines/densify/` and a line of `METHODS`.

No torch here: what makes a method is named, and imported when one is made.
"""

from __future__ import annotations

from dataclasses import dataclass

EVERY_QUALITY = ("fast", "balanced", "best")


@dataclass(frozen=True, kw_only=True)
class DensifierMethod:
    """A line of the table.

    Attributes:
        make: "module:function" of what makes it, from a `pipelines.densify.method.MethodSetup`.
        weights: kinds of network whose weights it can use, the preferred one first; () if it needs none.
        smoothed: qualities at which the neighbours of a frame steady its labels.
        in_auto: whether `--method auto` tries it; the first line of these is the default in doubt.
    """

    make: str
    weights: tuple[str, ...] = ()
    smoothed: tuple[str, ...] = EVERY_QUALITY
    in_auto: bool = False


METHODS: dict[str, DensifierMethod] = {
    "fgplg": DensifierMethod(
        make="vsodtool.pipelines.densify.learned:learned_method",
        weights=("densifier", "fgplg"),
        in_auto=True,
    ),
    # At `fast` smoothing would slow it down by an eighth; beside a network's time it is nothing.
    "warp": DensifierMethod(
        make="vsodtool.pipelines.densify.quality:warp_method",
        smoothed=("balanced", "best"),
        in_auto=True,
    ),
}
