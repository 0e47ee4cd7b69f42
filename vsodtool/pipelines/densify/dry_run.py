"""What a run would make of its videos, by which methods, and how long it would take: `--dry-run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.output.manifest import read_manifest
from vsodtool.ops.shots.shots import ONE_SHOT
from vsodtool.pipelines.densify.choosing.hidden_labels import schedule_trial
from vsodtool.pipelines.densify.choosing.trial import tried_in_doubt
from vsodtool.pipelines.densify.estimate import estimate_seconds, measure_pace
from vsodtool.pipelines.densify.interval import SparseVideo
from vsodtool.pipelines.densify.report import PseudoLabelVideoReport
from vsodtool.pipelines.densify.setup import Setup
from vsodtool.pipelines.densify.updating.tools import Tools
from vsodtool.pipelines.running.runs import Run
from vsodtool.pipelines.running.shots import Cuts
from vsodtool.types import Event


def foresee(
    run: Run, masks: Mapping[str, MaskSet], setup: Setup, doubts: Mapping[str, Sequence[str]], cuts: Cuts
) -> list[PseudoLabelVideoReport]:
    """What would become of each video; tells between which methods the hidden labels would choose.

    Args:
        run: whose videos they are.
        masks: by video.
        setup: what would be used.
        doubts: by video, why its masks may not belong to it.
        cuts: what is known of shots; nothing is decoded to find them.
    """
    names = setup.names
    videos = []
    before = read_manifest(run.layout.manifest) if setup.config.update else None
    choices = before.choices if before is not None and not setup.config.overwrite else {}
    unseen = False
    for source in run.sources:
        video, frames = source.video.name, len(source.names)
        given = len(masks[video].files)
        of_video = PseudoLabelVideoReport(
            video, frames, given, frames - given, 0, 0.0, 0.0, names[0], doubts=list(doubts.get(video, ()))
        )
        choice = choices.get(video)
        if choice is not None:  # an update keeps to it
            of_video = replace(
                of_video,
                method=choice.method,
                hidden=choice.hidden,
                hidden_j=choice.hidden_j,
                objects=choice.objects,
                objects_j=choice.objects_j,
            )
        elif len(names) > 1:
            trial = schedule_trial(source, masks[video], cuts.known(video) or ONE_SHOT)
            hidden = [source.names[test.hidden] for test in trial.tests]
            text = f"method {names[0]}, {trial.reason}"
            if hidden:
                text = f"{' or '.join(names)}, tried on the hidden labels {', '.join(hidden)}"
            more = [source.names[test.hidden] for test in trial.more]
            if more:
                text += f"; in doubt also on {', '.join(more)}"
            run.on_event(Event("notice", video, text))
            method = "" if hidden else names[0]
            of_video = replace(of_video, method=method, hidden=hidden, hidden_in_doubt=more)
            unseen = unseen or (bool(hidden) and cuts.known(video) is None)
        videos.append(of_video)
    if unseen:
        text = "videos are not searched for cuts now: where there are some, other labels may be hidden"
        run.on_event(Event("notice", message=text))
    return videos


def reckon(
    run: Run, masks: Mapping[str, MaskSet], videos: list[PseudoLabelVideoReport], tools: Tools, cuts: Cuts
) -> list[PseudoLabelVideoReport]:
    """The same with the seconds that each video would take, where no weights must be fetched for it.

    Args:
        run: whose videos they are.
        masks: by video.
        videos: what would become of each, in the order of the run.
        tools: make one interval of them, to see how long it takes.
        cuts: what is known of shots.
    """
    setup = tools.setup(run.on_event)
    config = setup.config
    first = next(
        (source for source in run.sources if len(masks[source.video.name].names) < len(source.names)), None
    )
    if config.update or first is None or not setup.is_whole:
        return videos
    candidates = tools.candidates(run.on_event)
    video = SparseVideo(first, masks[first.video.name], run.layout.root)
    pace = measure_pace(video, candidates, tools.workers)
    if pace is None:
        return videos
    reckoned = []
    in_doubt = 0.0
    for source, of_video in zip(run.sources, videos, strict=True):
        name = source.video.name
        shots = cuts.known(name) or ONE_SHOT
        trial = schedule_trial(source, masks[name], shots) if len(candidates.names) > 1 else None
        tests = [] if trial is None else trial.tests
        objects = len(masks[name].object_ids)
        doubt = [] if trial is None else tried_in_doubt(trial, candidates, objects)
        seconds, longest = (
            estimate_seconds(pace, source, masks[name], made, candidates, overlay=config.overlay)
            for made in (tests, [*tests, *doubt])
        )
        reckoned.append(replace(of_video, seconds=round(seconds, 1)))
        in_doubt += longest - seconds
    whole = sum(video.seconds for video in reckoned)
    about = _in_time(whole)
    if _in_time(whole + in_doubt) != about:
        about += f", {_in_time(whole + in_doubt)} if all hidden labels leave a doubt"
    frames = "1 frame" if pace.frames == 1 else f"{pace.frames} frames"
    text = f"about {about}: {frames} of {first.video.name} took {pace.seconds:.1f} s"
    run.on_event(Event("notice", message=text))
    return reckoned


def _in_time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
