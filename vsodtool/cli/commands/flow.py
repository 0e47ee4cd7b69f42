"""`vsodtool flow`."""

from __future__ import annotations

from vsodtool.cli.console import Reporter
from vsodtool.cli.options import Json, Quiet, command
from vsodtool.cli.output import print_report, refuse_losses
from vsodtool.cli.ranks import run_in_ranks
from vsodtool.cli.text import Table, seconds_cell
from vsodtool.config import FlowConfig


@command(FlowConfig, work="vsodtool.pipelines.flow")
def flow(config: FlowConfig, *, json: Json = False, quiet: Quiet = False) -> None:
    """Optical flow between the frames of videos.

    Writes OUT/flow/<video>/<direction>/<frame>.<format>, named after the frame that the flow starts from:
    forward/00004 leads from frame 4 to frame 5, backward/00005 from frame 5 to frame 4. Pictures of the
    flows (--preview) lie in OUT/preview in the same order.
    """
    with Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.flow import run_flow

        report = run_in_ranks(run_flow, config, reporter)
    table = Table(["video", "frames", "flows", "reused", "missing", "seconds"])
    for video in report.videos:
        seconds = seconds_cell(video.seconds, dry_run=report.dry_run)
        table.add(video.name, video.frames, video.flows, video.reused, video.missing, seconds)
    print_report(report.as_dict(), table, as_json=json)
    refuse_losses(report.losses, config.output)
