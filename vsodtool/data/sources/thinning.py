"""The paper's `l` and `m`: which given masks are used, and how many pseudo-labels between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from vsodtool.data.sources.labelled import LabelledFrame, LabelledVideo
from vsodtool.errors import ConfigError
from vsodtool.media.masks.matching import choose_every

ALL = -1


def thin_labels(video: LabelledVideo, label_every: int = 1, pseudo_between: int = ALL) -> LabelledVideo:
    """A video with fewer labels (Yan et al., ICCV 2019, section 4.1; still images are left as they are).

    Given masks 0, l, 2l, ... and the last are kept, as `pseudolabel --every` does (the paper does not say
    what becomes of the last). Of the pseudo-labels between two neighbours among them, the m nearest to evenly
    spaced places are kept, and none before the first or after the last.

    Args:
        video: with at least one frame.
        label_every: l, at least 1.
        pseudo_between: m; 0 keeps no pseudo-labels, -1 all of them.

    Raises:
        ConfigError: l or m is out of range.
    """
    if label_every < 1 or pseudo_between < ALL:
        raise ConfigError(
            f"expected label_every >= 1 and pseudo_between >= -1, found {label_every} and {pseudo_between}"
        )
    if video.stills:
        return video
    given = [video.given[place] for place in choose_every(len(video.given), label_every)]
    pseudo = [frame for frame in video.frames if not frame.given]
    if pseudo_between != ALL:
        pairs = pairwise(given)
        pseudo = [frame for pair in pairs for frame in _between(pseudo, *pair, pseudo_between)]
    kept = sorted([*given, *pseudo], key=lambda frame: frame.position)
    return replace(video, frames=tuple(kept))


def _between(
    pseudo: Sequence[LabelledFrame], left: LabelledFrame, right: LabelledFrame, number: int
) -> list[LabelledFrame]:
    candidates = [frame for frame in pseudo if left.position < frame.position < right.position]
    chosen: list[LabelledFrame] = []
    for place in range(1, min(number, len(candidates)) + 1):
        share = place / (min(number, len(candidates)) + 1)
        wanted = left.position + (right.position - left.position) * share
        free = [frame for frame in candidates if frame not in chosen]
        chosen.append(min(free, key=lambda frame: abs(frame.position - wanted)))
    return chosen
