"""Still images set in motion -> evidence, recorded: other things than the few that move in the videos."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vsodtool.data.chance import sample_generator
from vsodtool.data.evidence_dataset import EvidenceFile
from vsodtool.data.labelled import LabelledVideo
from vsodtool.data.still_clips import StillClip, make_still_clip
from vsodtool.data.still_motion import StillMotion
from vsodtool.errors import DataError
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.frame_store import FrameStore
from vsodtool.pipelines.densify import densify_interval
from vsodtool.pipelines.generator import Generator
from vsodtool.pipelines.interval import IntervalJob, LabelledFrame, Workers
from vsodtool.pipelines.motion import MotionPlan
from vsodtool.pipelines.record_evidence import EvidenceRecorder, Recorded
from vsodtool.types import Frame, ImageArray

SIDE = 320  # pixels of the squares that move
HIDDEN = 2  # frames of each clip that are recorded
_INDEX = "index.json"

Way = tuple[MotionPlan, Generator]


def record_stills(video: LabelledVideo, gaps: tuple[int, ...], seed: int, way: Way, place: Path) -> None:
    """One clip of each image, as long as one of the gaps; evidence about some frames of it.

    Args:
        video: a set of still images.
        gaps: one is drawn for each image.
        seed: of the motion, and of what is hidden.
        way: the flow estimators, and the rules that make the first guess.
        place: folder that receives it; its index is written last.

    Raises:
        DataError: an image cannot be read any more.
    """
    place.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, object]] = []
    with ThreadPoolExecutor(2, "record") as pool:
        for number, frame in enumerate(video.given):
            rng = sample_generator(seed, (0, number))
            gap = int(rng.choice(gaps))
            ages = [at - gap / 2 for at in range(gap + 1)]
            clip = make_still_clip(
                video, frame, ages=ages, side=SIDE, motion=StillMotion(), augmentation=None, rng=rng
            )
            wanted = sorted(rng.permutation(np.arange(1, gap))[:HIDDEN].tolist())
            for part in _record(clip, wanted, way, Workers(pool), place / str(number)):
                entries.append(
                    {
                        "clip": number,
                        "name": f"{frame.name}+{part.hidden}",
                        "hidden": part.hidden,
                        "last": gap,
                        "top": part.top,
                        "left": part.left,
                    }
                )
    write_bytes_atomically(place / _INDEX, json.dumps(entries).encode())


def find_stills(video: LabelledVideo, place: Path) -> list[EvidenceFile] | None:
    """What `record_stills` recorded; None where it has not, or was cut off.

    Raises:
        DataError: the index is no index.
    """
    index = place / _INDEX
    if not index.is_file():
        return None
    try:
        return [
            EvidenceFile(
                video=video.name,
                name=entry["name"],
                maps=place / f"{entry['clip']}-{entry['hidden']}-maps.npy",
                origin=(entry["top"], entry["left"]),
                before=place / f"{entry['clip']}-0.npy",
                hidden=place / f"{entry['clip']}-{entry['hidden']}.npy",
                after=place / f"{entry['clip']}-{entry['last']}.npy",
                distances=(entry["hidden"], entry["last"] - entry["hidden"]),
            )
            for entry in json.loads(index.read_text())
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{index}: expected an index of recorded evidence, found something else: {error!r}",
            f"delete {place}: it is then recorded again",
        ) from error


def _record(clip: StillClip, wanted: list[int], way: Way, workers: Workers, stem: Path) -> Iterator[Recorded]:
    """Evidence about some frames of a clip; writes `stem`-<frame>.npy and `stem`-<frame>-maps.npy."""
    plan, rules = way
    last = len(clip.images) - 1
    store = FrameStore(None, stem.parent)
    frames = [_rgb(image) for image in clip.images]
    for index in range(1, last):
        store.put(Frame(index, str(index), frames[index]))
    ends = [LabelledFrame(at, str(at), frames[at], _binary(clip.labels[at])) for at in (0, last)]
    passed = [index for index in range(1, last) if index not in wanted]
    recorder = EvidenceRecorder(set(wanted), rules)
    job = IntervalJob(ends[0], ends[1], wanted, store, passed)
    densify_interval(job, plan, recorder, workers=workers, on_frame=lambda _: None)
    for at in (0, *wanted, last):
        pixels = np.concatenate([clip.images[at].numpy(), _binary(clip.labels[at])[0].byte().numpy() * 255])
        np.save(f"{stem}-{at}.npy", pixels)
    for part in sorted(recorder.found, key=lambda part: part.hidden):
        np.save(f"{stem}-{part.hidden}-maps.npy", part.maps)
        yield part


def _rgb(image: Tensor) -> ImageArray:
    rgb: npt.NDArray[np.uint8] = image.permute(1, 2, 0).contiguous().numpy()
    return rgb


def _binary(label: Tensor) -> Tensor:
    """(1, S, S) in [0, 1] -> (1, 1, S, S), 0 or 1."""
    return (label > 0.5).to(torch.float32)[None]
