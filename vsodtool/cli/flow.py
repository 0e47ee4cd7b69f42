"""`vsodtool flow`."""

from __future__ import annotations

from typing import Annotated

from vsodtool.cli import options
from vsodtool.cli.console import Reporter
from vsodtool.cli.output import print_report, refuse_losses
from vsodtool.cli.ranks import run_in_ranks
from vsodtool.cli.text import Table
from vsodtool.config import DIRECTIONS, FLOW_FORMATS, FlowConfig, load_config


def flow(
    *,
    inputs: options.Inputs = None,
    output: options.Output = None,
    config: options.Config = None,
    backend: options.Backend = None,
    quality: options.Quality = None,
    direction: Annotated[
        str | None,
        options.choose(
            "--direction",
            among=DIRECTIONS,
            help="forward: from each frame to the one --step later; backward: from that one back.",
            default="forward",
        ),
    ] = None,
    step: Annotated[
        int | None,
        options.option(
            "--step", help="Frames between the two of a pair.", panel=options.HOW, default=1, metavar="N"
        ),
    ] = None,
    format: Annotated[
        str | None,
        options.choose(
            "--format",
            among=FLOW_FORMATS,
            help="flo: Middlebury; png: KITTI, 16 bit; npz: NumPy, key flow.",
            default="flo",
        ),
    ] = None,
    preview: Annotated[
        bool | None,
        options.option(
            "--preview/--no-preview", help="A picture of each flow in the usual colours.", panel=options.EXTRA
        ),
    ] = None,
    device: options.Device = None,
    workers: options.Workers = None,
    shard: options.Shard = None,
    seed: options.Seed = None,
    overwrite: options.Overwrite = None,
    dry_run: options.DryRun = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Optical flow between the frames of videos.

    Writes OUT/flow/<video>/<direction>/<frame>.<format>, named after the frame that the flow starts from:
    forward/00004 leads from frame 4 to frame 5, backward/00005 from frame 5 to frame 4. Pictures of the
    flows (--preview) lie in OUT/preview in the same order.
    """
    settings = load_config(
        FlowConfig,
        config,
        {
            "inputs": tuple(inputs) if inputs else None,
            "output": output,
            "backend": backend,
            "quality": quality,
            "direction": direction,
            "step": step,
            "format": format,
            "preview": preview,
            "device": device,
            "workers": workers,
            "shard": shard,
            "seed": seed,
            "overwrite": overwrite,
            "dry_run": dry_run,
        },
    )
    with Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.flow import run_flow

        report = run_in_ranks(run_flow, settings, reporter)
    table = Table(["video", "frames", "flows", "reused", "missing", "seconds"])
    for video in report.videos:
        table.add(video.name, video.frames, video.flows, video.reused, video.missing, f"{video.seconds:.1f}")
    print_report(report.as_dict(), table, as_json=json)
    refuse_losses(report.losses, settings.output)
