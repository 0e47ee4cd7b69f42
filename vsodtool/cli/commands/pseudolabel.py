"""`vsodtool pseudolabel`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vsodtool.cli.console import Reporter
from vsodtool.cli.next_step import tell_next_step
from vsodtool.cli.options import Json, Quiet, command
from vsodtool.cli.output import print_report, refuse_losses
from vsodtool.cli.ranks import run_in_ranks
from vsodtool.cli.text import Table, seconds_cell
from vsodtool.config import PseudoLabelConfig

if TYPE_CHECKING:  # the pipelines bring torch
    from vsodtool.pipelines.densify.report import PseudoLabelVideoReport


@command(PseudoLabelConfig, work="vsodtool.pipelines.pseudolabel")
def pseudolabel(config: PseudoLabelConfig, *, json: Json = False, quiet: Quiet = False) -> None:
    """A mask for every frame, from masks of a few.

    A mask belongs to the frame of the same name, for a video file to the frame with that number. Frames that
    have a mask keep exactly that mask. Writes OUT/masks/<video>/<frame>.png in the encoding of the masks
    given, OUT/frames.csv and OUT/manifest.json.
    """
    with Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.pseudolabel import run_pseudolabel

        report = run_in_ranks(run_pseudolabel, config, reporter)
    chosen = ["method", "hidden J"] if report.method == "auto" else []
    doubted = ["masks fit"] if any(video.doubts for video in report.videos) else []
    lost = ["skipped"] if any(video.skipped for video in report.videos) else []  # 80 columns are not many
    counted = ["video", "frames", "given", "generated", *lost]
    table = Table([*counted, "confidence", *chosen, *doubted, "seconds"])
    for video in report.videos:
        seconds = seconds_cell(video.seconds, dry_run=report.dry_run)
        mean = f"{video.confidence:.3f}" if video.generated and not report.dry_run else "-"
        counts = [video.frames, video.given, video.generated, *([video.skipped] if lost else [])]
        reached = video.hidden_j.get(video.method)
        hidden = f"{reached:.3f}" if reached is not None else "-"
        more = [_methods(video), hidden] if chosen else []
        more += ["no" if video.doubts else "yes"] if doubted else []
        table.add(video.name, *counts, mean, *more, seconds)
    print_report(report.as_dict(), table, as_json=json)
    if not quiet:
        tell_next_step([(video.name, video.worst) for video in report.videos], config.output)
    refuse_losses(report.losses, config.output)


def _methods(video: PseudoLabelVideoReport) -> str:
    """The method of a video, and of objects that have another one: "fgplg, 2: warp"."""
    others = [f"{number}: {name}" for number, name in video.objects.items() if name != video.method]
    return ", ".join([video.method or "-", *others])
