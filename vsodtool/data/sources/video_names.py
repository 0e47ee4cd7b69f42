"""Names by which videos can be told apart, where several sources have used the same one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vsodtool.data.sources.labelled import LabelledVideo


def tell_apart(groups: Sequence[Sequence[LabelledVideo]]) -> list[list[LabelledVideo]]:
    """The same videos, with another name where two with different frames are called alike.

    The name is then the end of the path of the frames ("sod/images"), as much of it as it takes.
    Videos with the same frames keep one name.
    """
    names: dict[Path, str] = {}
    for video in (video for group in groups for video in group):
        names.setdefault(video.place.resolve(), video.name)
    depth = 0
    while doubles := [name for name, count in Counter(names.values()).items() if count > 1]:
        depth += 1
        for place, name in list(names.items()):
            if name in doubles:
                names[place] = "/".join(place.parts[-1 - depth :])
    return [[replace(video, name=names[video.place.resolve()]) for video in group] for group in groups]
