"""The frames of a finished run that should be labelled next, with what is known of why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vsodtool.media.annotations.objects import ObjectInfo, unnamed
from vsodtool.ops.suggesting.suggestion import Suggested, estimate, suggest
from vsodtool.pipelines.suggesting.finished import Errors, Finished, FinishedVideo
from vsodtool.pipelines.suggesting.suggestion import Suggestion

Names = Mapping[str, Mapping[int, ObjectInfo]]  # video -> object -> what it is called


@dataclass(frozen=True)
class Ranking:
    """What should be labelled next.

    Attributes:
        suggestions: the one that gains most first.
        hidden: number of hidden labels that are known.
        estimated_j: the mean J that all frames are expected to have, labelled ones counted as 1; None where
            no hidden label is known.
        estimated_after: the same once the suggested frames are labelled.
    """

    suggestions: list[Suggestion]
    hidden: int
    estimated_j: float | None
    estimated_after: float | None


def rank(finished: Finished, errors: Sequence[Errors], names: Names, count: int) -> Ranking:
    """Rank the frames of a run by expected error.

    Args:
        finished: the run.
        errors: of the hidden labels of each video.
        names: of objects; may lack some.
        count: how many frames, at most.
    """
    known = [video.known(own) for video, own in zip(finished.videos, errors, strict=True)]
    chosen = suggest(known, count)
    found = [_in_words(finished, each, names, first=place == 0) for place, each in enumerate(chosen)]
    hidden = sum(bool(js) for own in errors for js in own.values())
    return Ranking(found, hidden, _rounded(estimate(known)), _rounded(estimate(known, chosen)))


def rank_spread(finished: Finished, count: int) -> Ranking:
    """Rank the frames of a run by how far its labels are, alike in all its videos.

    Args:
        finished: the run.
        count: how many frames, at most.
    """
    chosen = suggest([video.unknown() for video in finished.videos], count)
    found = [replace(_in_words(finished, each, {}, first=False), gain=None) for each in chosen]
    return Ranking(found, 0, None, None)


def rank_at_once(finished: Finished, count: int) -> Ranking:
    """Rank the frames of a run by what its table tells: of `predict`, which has no labels, the confidence.

    Args:
        finished: the run.
        count: how many frames, at most.
    """
    if finished.manifest.command == "predict":
        return rank(finished, [{} for _ in finished.videos], {}, count)
    return rank_spread(finished, count)


def _in_words(finished: Finished, each: Suggested, names: Names, *, first: bool) -> Suggestion:
    video = finished.videos[each.video]
    row = video.rows[each.frame]
    left, right = video.around(each.frame)
    called = ""
    if each.object is not None:
        shown = names.get(video.name, {}).get(each.object)
        called = shown.name if shown else unnamed(each.object, alone=False)
    return Suggestion(
        video.name,
        row.frame,
        each.frame,
        None,
        left,
        right,
        round(row.confidence, 4),
        round(each.gain, 4),
        ", ".join(_reasons(finished, video, each.frame, first=first)),
        called,
    )


def _reasons(finished: Finished, video: FinishedVideo, frame: int, *, first: bool) -> list[str]:
    if finished.manifest.command == "predict":
        return ["least confidence around it"] if first else []
    left, right = video.around(frame)
    found = ["largest expected error"] if first else []
    if not left and not right:
        found.append("no label in its shot")
    elif not left or not right:
        found.append(f"one label only {'before' if left else 'after'} it")
    shot = [max((cut for cut in video.cuts if cut <= frame), default=0)]
    shot += [min((cut for cut in video.cuts if cut > frame), default=0)]
    before = max((at for at in video.labels if at < frame), default=-1)
    after = min((at for at in video.labels if at > frame), default=len(video.rows))
    cuts = [cut for cut in shot if cut and before < cut <= after]
    return [*found, *(f"cut at {video.rows[cut].frame}" for cut in cuts)]


def _rounded(j: float | None) -> float | None:
    return None if j is None else round(j, 4)
