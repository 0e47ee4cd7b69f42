"""`vsodtool demo`: a generated clip through the whole chain, measured against its exact truth.

Under OUT: clip/frames, clip/masks (the few that an annotator would draw), clip/truth, labels/ (what
`pseudolabel` makes of frames and masks) and picture.png.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vsodtool.config import DemoConfig, PseudoLabelConfig
from vsodtool.data.generated.clip import ClipConfig, GeneratedClip, generate_clip
from vsodtool.errors import UsageError
from vsodtool.media.atomic import remove_leftovers, write_bytes_atomically
from vsodtool.media.images import encode_png, read_grey, write_png
from vsodtool.media.output.layout import OutputLayout, check_output
from vsodtool.media.pictures.sheet import Colour, Layer, Row, draw_sheet
from vsodtool.metrics import boundary_f, region_j
from vsodtool.types import Event, ImageArray, OnEvent, ignore_event

EVERY = 8  # a mask is given for frames 0, 8, 16, ... and the last
COLUMNS = 5  # of the picture
GIVEN: Colour = (255, 210, 20)
GENERATED: Colour = (40, 230, 130)
NOTHING: Colour = (52, 60, 71)
TRUTH: Colour = (255, 255, 255)

BoolArray = npt.NDArray[np.bool_]


class Densifier(Protocol):
    """What the demo demonstrates: `run_pseudolabel`, or what a test puts in its place."""

    def __call__(self, config: PseudoLabelConfig, *, on_event: OnEvent) -> object:
        """Write a mask for every frame under `config.output`."""
        ...


@dataclass(frozen=True)
class DemoReport:
    """What the demo found. The scores are means over the frames that were not given, None in a dry run.

    Attributes:
        output: the folder with everything.
        picture: the sheet of pictures.
        video: the labels over the clip, an mp4.
        frames: number of frames of the clip.
        given: number of masks that were given.
        generated: number of masks that were made.
        j: region J against the truth.
        f: boundary F against the truth.
        copy_j: J of repeating the nearest given mask instead.
        copy_f: F of that.
        seconds: of the densifier alone.
    """

    output: Path
    picture: Path
    video: Path
    frames: int
    given: int
    generated: int
    j: float | None
    f: float | None
    copy_j: float | None
    copy_f: float | None
    seconds: float


def run_demo(
    config: DemoConfig,
    *,
    clip_config: ClipConfig | None = None,
    pseudolabel: Densifier | None = None,
    on_event: OnEvent = ignore_event,
) -> DemoReport:
    """Generate the clip, densify its masks, measure, draw.

    Args:
        config: output folder and common options.
        clip_config: another clip than the usual one; its seed is replaced by the config's.
        pseudolabel: another densifier than `run_pseudolabel`.
        on_event: hears of the progress.

    Raises:
        UsageError: the output folder holds files of somebody else, or a clip of another seed.
        VsodtoolError: whatever the densifier raises.
    """
    check_output(config.output, [])
    clip = generate_clip(replace(clip_config or ClipConfig(), seed=config.seed))
    given = given_indices(len(clip.frames), EVERY)
    folder = config.output / "clip"
    labels = OutputLayout(config.output / "labels")
    report = DemoReport(
        output=config.output,
        picture=config.output / "picture.png",
        video=labels.overlay("frames"),
        frames=len(clip.frames),
        given=len(given),
        generated=len(clip.frames) - len(given),
        j=None,
        f=None,
        copy_j=None,
        copy_f=None,
        seconds=0.0,
    )
    files = _encode(clip, given)
    _refuse_strangers(folder, files, report.picture, config.overwrite)
    if config.dry_run:
        message = f"would write {len(files)} files to {folder}, then labels and {report.picture}"
        on_event(Event("notice", message=message))
        return report
    _write(folder, files)
    on_event(Event("notice", message=f"clip: {report.frames} frames and {report.given} masks in {folder}"))

    start = time.perf_counter()
    (pseudolabel or _default_densifier())(
        PseudoLabelConfig(
            inputs=(str(folder / "frames"),),
            masks=(str(folder / "masks"),),
            output=labels.root,
            overlay=True,
            device=config.device,
            overwrite=config.overwrite,
            workers=config.workers,
            seed=config.seed,
        ),
        on_event=on_event,
    )
    seconds = time.perf_counter() - start
    dense = [read_grey(labels.masks("frames", name)) > 127 for name in clip.names]
    j, f, copy_j, copy_f = _scores(clip, dense, given)
    report = replace(report, seconds=seconds, j=j, f=f, copy_j=copy_j, copy_f=copy_f)
    write_png(report.picture, demo_picture(clip, dense, given, report.j, report.f), level=9)
    return report


def given_indices(count: int, every: int) -> list[int]:
    """Frames 0, every, 2 every, ... and the last."""
    return sorted({*range(0, count, every), count - 1})


def nearest_given(index: int, given: list[int]) -> int:
    """The given frame closest in time, the earlier of two."""
    return min(given, key=lambda other: (abs(other - index), other))


def _default_densifier() -> Densifier:
    from vsodtool.pipelines.pseudolabel import run_pseudolabel  # brings torch: only when it is needed

    return run_pseudolabel


def _encode(clip: GeneratedClip, given: list[int]) -> dict[str, bytes]:
    """The clip as files: path below the clip's folder to content."""
    files = {}
    for index, name in enumerate(clip.names):
        mask = encode_png(clip.masks[index].astype(np.uint8) * 255)
        files[f"frames/{name}.png"] = encode_png(clip.frames[index])
        files[f"truth/{name}.png"] = mask
        if index in given:
            files[f"masks/{name}.png"] = mask
    return files


def _refuse_strangers(folder: Path, files: Mapping[str, bytes], picture: Path, overwrite: bool) -> None:
    hint = "choose another folder with -o"
    if picture.exists() and not folder.exists() and not overwrite:
        raise UsageError(f"{picture} exists and is not from a demo", f"{hint}, or --overwrite")
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or path.name.startswith("."):
            continue
        if name not in files:
            raise UsageError(f"{path} is in the way: expected only files of the demo in {folder}", hint)
        if not overwrite and not (path.is_file() and path.read_bytes() == files[name]):
            raise UsageError(f"{path} differs from the clip of this seed", f"{hint}, or --overwrite")


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    remove_leftovers(folder)
    for name, data in files.items():
        path = folder / name
        # an equal file keeps its time stamp: else the densifier would take the input for a changed one
        if not (path.is_file() and path.read_bytes() == data):
            write_bytes_atomically(path, data)


def _scores(clip: GeneratedClip, dense: list[BoolArray], given: list[int]) -> list[float | None]:
    """J, F, J of copying, F of copying: means over the frames that were not given."""
    rows = []
    for index, truth in enumerate(clip.masks):
        if index not in given:
            copy = clip.masks[nearest_given(index, given)]
            own = dense[index]
            rows.append(
                (region_j(own, truth), boundary_f(own, truth), region_j(copy, truth), boundary_f(copy, truth))
            )
    if not rows:
        return [None] * 4
    return [float(mean) for mean in np.mean(rows, axis=0)]


def demo_picture(
    clip: GeneratedClip,
    dense: list[BoolArray],
    given: list[int],
    j: float | None,
    f: float | None,
) -> ImageArray:
    """Two rows over one interval in the middle of the clip, from one given mask to the next.

    Above each row a time line of the whole clip; frames without a mask are dark.

    Args:
        clip: frames and truth.
        dense: a mask per frame, bool (H, W).
        given: indices of the frames whose mask was given, sorted.
        j: region J to print, None leaves it out.
        f: boundary F to print.

    Returns:
        uint8 (H, W, 3) RGB.
    """
    shown = shown_indices(given, len(clip.frames))
    above, below = [], []
    for index in shown:
        frame, truth = clip.frames[index], clip.masks[index]
        colour = GIVEN if index in given else GENERATED
        hand_made = [Layer(truth, GIVEN, opacity=0.7), Layer(truth, TRUTH, thickness=1)]
        above.append((frame, hand_made) if index in given else (_dark(frame), []))
        below.append((frame, [Layer(dense[index], colour, opacity=0.7), Layer(truth, TRUTH, thickness=1)]))
    scores = "" if j is None or f is None else f"     J {j:.3f}     F {f:.3f}"
    frames = range(len(clip.frames))
    return draw_sheet(
        [
            Row(
                f"You give {len(given)} masks",
                f"a video of {len(clip.frames)} frames",
                above,
                strip=[GIVEN if index in given else NOTHING for index in frames],
                tags=[f"frame {index}: {'mask' if index in given else 'no mask'}" for index in shown],
            ),
            Row(
                f"You get {len(clip.frames)} masks",
                f"white line: the truth{scores}",
                below,
                strip=[GIVEN if index in given else GENERATED for index in frames],
                tags=[f"frame {index}: {'as given' if index in given else 'made'}" for index in shown],
            ),
        ]
    )


def _dark(frame: ImageArray) -> ImageArray:
    """The frame in dim grey."""
    grey = (frame.mean(axis=2, keepdims=True) * 0.6).astype(np.uint8)
    return np.repeat(grey, 3, axis=2)


def shown_indices(given: list[int], count: int) -> list[int]:
    """Up to COLUMNS frames, evenly over the interval that ends at the middle given mask (or over all)."""
    right = len(given) // 2
    first, last = (given[right - 1], given[right]) if right else (0, count - 1)
    return sorted({round(first + (last - first) * k / (COLUMNS - 1)) for k in range(COLUMNS)})
