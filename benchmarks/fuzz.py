"""Damaged files against the readers: exit codes 0, 2 (configurations), 3, 4; no traceback, hang or flood.

    python benchmarks/fuzz.py [KIND ...] [--attempts 200] [--seed 0] [--keep FOLDER] [--out FILE]

Each attempt cuts a file, turns bits in it, overwrites a part or puts an absurd number into it, and reads it
as a command does, in a process of its own. A new kind is a line of `KINDS`: what is made, which of its files
is damaged, how it is read. The first half of a kind's attempts is damaged at random places, the other half
in the first 512 bytes: headers are where readers believe what they are told.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from machine import header, publish
from PIL import Image

import vsodtool.pipelines.pseudolabel  # noqa: F401  before the processes part, so that none loads it again
from vsodtool.cli.app import app
from vsodtool.cli.failure import exit_code_of
from vsodtool.config import TrainConfig, load_config, shipped_path
from vsodtool.data.evidence.files import EvidenceFile, read_array, read_index, write_array, write_index
from vsodtool.media.training_run.folder import read_checkpoint, write_checkpoint
from vsodtool.media.training_run.log import RunLog
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.media.weights.files import read_weights
from vsodtool.models.architecture import Architecture
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import create_network
from vsodtool.ops.labels.evidence_maps import MAPS
from vsodtool.pipelines.networks.load import load_network
from vsodtool.pipelines.networks.save import save_network

ALLOWED = frozenset({0, 3, 4})
PATIENCE = 20.0  # seconds of computing
MOST_MEMORY = 2 << 30
HEADER = 512
ABSURD = (
    "1e999",
    "-1",
    "-1e999",
    "9" * 30,
    "9" * 5000,
    "null",
    "[]",
    "{}",
    '"x"',
    "true",
    "0x" + "f" * 6000,
    "[" * 5000,
)
SIZE = (32, 48)


@dataclass(frozen=True)
class Kind:
    """A line of the table.

    Attributes:
        make: fills a folder; returns the file that is damaged.
        read: reads the working folder; what it returns or raises becomes an exit code as in the command line.
        allowed: exit codes.
        text: whether absurd numbers are put into it.
    """

    make: Callable[[Path], Path]
    read: Callable[[], object]
    allowed: frozenset[int] = ALLOWED
    text: bool = False


def command(*arguments: str) -> Callable[[], object]:
    """Reading as a command of the tool does."""
    return partial(app, list(arguments), prog_name="vsodtool", standalone_mode=False)


PSEUDOLABEL = (
    "pseudolabel",
    "v",
    "--masks",
    "m",
    "-o",
    "out",
    "--method",
    "warp",
    "--device",
    "cpu",
    "--quiet",
)


def clip(
    folder: Path, frame: str = "png", mask: str = "png", masks: Callable[..., np.ndarray] | None = None
) -> None:
    """A square that moves: v/*.frame, and m/*.mask for the first and the last frame."""
    rng = np.random.default_rng(0)
    ground = cv2.GaussianBlur(rng.integers(0, 255, (*SIZE, 3), dtype=np.uint8), (0, 0), 2)
    for name in ("v", "m"):
        (folder / name).mkdir()
    for index in range(4):
        picture, label = ground.copy(), np.zeros(SIZE, np.uint8)
        place = slice(8, 24), slice(6 + 3 * index, 20 + 3 * index)
        picture[place], label[place] = (40, 60, 220), 255
        cv2.imwrite(str(folder / "v" / f"{index}.{frame}"), picture)
        if index in (0, 3):
            cv2.imwrite(str(folder / "m" / f"{index}.{mask}"), label if masks is None else masks(label))


def a_mask(suffix: str, change: Callable[[np.ndarray], np.ndarray] | None, folder: Path) -> Path:
    """A clip of which a mask is damaged."""
    clip(folder, mask=suffix, masks=change)
    return folder / "m" / f"3.{suffix}"


def a_mask_of_pillow(suffix: str, mode: str, folder: Path) -> Path:
    """As above in a mode that OpenCV does not write: a palette, one bit."""
    clip(folder)
    for name in ("0", "3"):
        drawn = Image.open(folder / "m" / f"{name}.png").point(lambda value: value > 0)
        (folder / "m" / f"{name}.png").unlink()
        if mode == "P":
            drawn.putpalette([0, 0, 0, 236, 95, 103])
        (drawn.point(lambda value: 255 * value).convert("1") if mode == "1" else drawn).save(
            folder / "m" / f"{name}.{suffix}"
        )
    return folder / "m" / f"3.{suffix}"


def annotations(format: str, folder: Path) -> Path:
    """The masks of a clip as annotations of another tool, of which the largest file is damaged."""
    clip(folder)
    here = Path.cwd()
    os.chdir(folder)
    try:
        converting = ("convert", "out", "-o", "a", "--to", format, "--frames", "given", "--quiet")
        for arguments in (PSEUDOLABEL, converting):
            app(list(arguments), prog_name="vsodtool", standalone_mode=False)
    finally:
        os.chdir(here)
    shutil.rmtree(folder / "out")
    shutil.rmtree(folder / "m")
    if (folder / "a").is_file():
        (folder / "m").mkdir()
        (folder / "a").rename(folder / "m" / ("a.xml" if format == "cvat" else "a.json"))
    else:
        (folder / "a").rename(folder / "m")
    files = (path for path in (folder / "m").rglob("*") if path.is_file())
    return max(files, key=lambda path: path.stat().st_size)


def a_frame(suffix: str, folder: Path) -> Path:
    """A clip of which a frame is damaged."""
    clip(folder, frame=suffix)
    return folder / "v" / f"2.{suffix}"


def a_video(suffix: str, codec: str, folder: Path) -> Path:
    """A video file, and masks of its first and its last frame."""
    clip(folder)
    shutil.rmtree(folder / "v")
    path = folder / f"v.{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width = SIZE
        stream.pix_fmt = "yuv420p"
        for index in range(4):
            picture = np.full((*SIZE, 3), 40 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def a_film(
    suffix: str, codec: str, pixels: str, folder: Path, *, container: str | None, options: dict[str, str]
) -> Path:
    """A video file of twelve frames, of any codec, pixel format and container."""
    path = folder / f"film.{suffix}"
    ground = cv2.resize(np.random.default_rng(0).integers(0, 256, (8, 12, 3)).astype(np.uint8), (96, 64))
    with av.open(str(path), "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pixels
        stream.codec_context.gop_size = 6
        for index in range(12):
            picture = np.ascontiguousarray(np.roll(ground, 3 * index, axis=1))
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))
    return path


def a_picture(suffix: str, dtype: type, pages: int, folder: Path) -> Path:
    """A folder of two frames of which one is damaged, or a file of several pages."""
    values = np.random.default_rng(0).integers(0, 250, (pages, 48, 64, 3)).astype(dtype)
    if pages > 1:
        first, *others = (Image.fromarray(page) for page in values)
        first.save(folder / f"stack.{suffix}", save_all=True, append_images=others)
        return folder / f"stack.{suffix}"
    (folder / "frames").mkdir()
    for index in range(2):
        cv2.imwrite(str(folder / "frames" / f"{index}.{suffix}"), values[0])
    return folder / "frames" / f"1.{suffix}"


def read_frames(place: str) -> None:
    """Decode a whole video, as every command does; what is lost ends with exit code 3 there."""
    frames = open_frames(discover_videos([place])[0])
    for frame in frames:
        assert frame.rgb.dtype == np.uint8
        assert frame.rgb.shape == (*frames.size, 3)
    list(frames.notes)


def film_kind(
    suffix: str, codec: str, pixels: str = "yuv420p", container: str | None = None, **options: str
) -> Kind:
    """Frames of a video file."""
    make = partial(a_film, suffix, codec, pixels, container=container, options=options)
    return Kind(make, partial(read_frames, f"film.{suffix}"))


def picture_kind(suffix: str, dtype: type = np.uint8, pages: int = 1) -> Kind:
    """Frames of a folder, or the pages of a file."""
    place = f"stack.{suffix}" if pages > 1 else "frames"
    return Kind(partial(a_picture, suffix, dtype, pages), partial(read_frames, place))


def a_run(name: str, folder: Path) -> Path:
    """OUT of a run that is half done: its manifest, its journal, its table."""
    clip(folder)
    here = Path.cwd()
    os.chdir(folder)
    try:
        app(list(PSEUDOLABEL), prog_name="vsodtool", standalone_mode=False)
    finally:
        os.chdir(here)
    manifest = folder / "out" / "manifest.json"
    table = (folder / "out" / "frames.csv").read_text().splitlines()
    rows = [dict(zip(table[0].split(","), line.split(","), strict=True)) for line in table[1:]]
    if name == "journal.jsonl":
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "status": "running"}))
        lines = [json.dumps({**row, "confidence": float(row["confidence"])}) for row in rows]
        (folder / "out" / name).write_text("\n".join(lines) + "\n")
        (folder / "out" / "frames.csv").unlink()
        (folder / "out" / "masks" / "v" / "2.png").unlink()
    return folder / "out" / name


def small_network() -> torch.nn.Module:
    """A detector of a few channels."""
    torch.manual_seed(0)
    widths = dict.fromkeys(("context_width", "skip_width", "refine_width", "decoder_width"), 8)
    return create_network(Architecture(kind="image", backbone="mobilenet_v3_small", **widths))


def a_safetensors(folder: Path) -> Path:
    """A weight file of the tool's own."""
    save_network(folder / "w.safetensors", small_network(), Preprocessing(size=64))  # type: ignore[arg-type]
    return folder / "w.safetensors"


def a_pth(zipped: bool, folder: Path) -> Path:
    """A checkpoint of somebody's training."""
    content = {"state_dict": small_network().state_dict(), "best": np.float64(0.9), "epoch": 3}
    torch.save(content, folder / "w.pth", _use_new_zipfile_serialization=zipped)
    return folder / "w.pth"


def a_checkpoint(folder: Path) -> Path:
    """RUN/last.pt."""
    content = {"network": small_network().state_dict(), "step": 3, "scores": {"j": 0.5}, "seconds": 1.0}
    write_checkpoint(folder / "last.pt", content)
    return folder / "last.pt"


def a_log(folder: Path) -> Path:
    """RUN/log.jsonl."""
    log = RunLog(folder / "log.jsonl", keep=-1)
    for step in range(20):
        log.write("step", step=step, loss=1 / (step + 1))
    log.close()
    return folder / "log.jsonl"


def a_configuration(folder: Path) -> Path:
    """A file for --config."""
    shutil.copy(shipped_path("configs/train-densifier.yaml"), folder / "c.yaml")
    return folder / "c.yaml"


def an_evidence_array(folder: Path) -> Path:
    """Maps about a hidden frame."""
    write_array(folder / "a.npy", np.full((MAPS, 24, 32), 7, np.uint8))
    return folder / "a.npy"


def an_evidence_index(folder: Path) -> Path:
    """What belongs together."""
    paths = {part: folder / f"{part}.npy" for part in ("maps", "before", "hidden", "after")}
    write_index(
        folder, [EvidenceFile("v", f"{n}", origin=(0, 8), distances=(1, 2), **paths) for n in range(5)]
    )
    return folder / "index.json"


def read_configuration() -> object:
    """As `train --config c.yaml` does."""
    return load_config(TrainConfig, Path("c.yaml"), {"data": ("d",), "output": Path("o")})


def coloured(label: np.ndarray) -> np.ndarray:
    """A mask in RGB."""
    return np.stack([label, label // 2, np.zeros_like(label)], axis=-1)


def deep(label: np.ndarray) -> np.ndarray:
    """A mask of 16 bit."""
    return label.astype(np.uint16) * 2


CONFIGURATION = frozenset({0, 2})
KINDS: dict[str, Kind] = {
    "mask png": Kind(partial(a_mask, "png", None), command(*PSEUDOLABEL)),
    "mask png, RGB": Kind(partial(a_mask, "png", coloured), command(*PSEUDOLABEL)),
    "mask png, 16 bit": Kind(partial(a_mask, "png", deep), command(*PSEUDOLABEL)),
    "mask bmp": Kind(partial(a_mask, "bmp", None), command(*PSEUDOLABEL)),
    "mask png, palette": Kind(partial(a_mask_of_pillow, "png", "P"), command(*PSEUDOLABEL)),
    "mask png, 1 bit": Kind(partial(a_mask_of_pillow, "png", "1"), command(*PSEUDOLABEL)),
    "mask bmp, palette": Kind(partial(a_mask_of_pillow, "bmp", "P"), command(*PSEUDOLABEL)),
    "mask gif": Kind(partial(a_mask_of_pillow, "gif", "P"), command(*PSEUDOLABEL)),
    "mask webp": Kind(partial(a_mask, "webp", None), command(*PSEUDOLABEL)),
    "mask tif": Kind(partial(a_mask, "tif", None), command(*PSEUDOLABEL)),
    "frame jpg": Kind(partial(a_frame, "jpg"), command(*PSEUDOLABEL)),
    "frame png": Kind(partial(a_frame, "png"), command(*PSEUDOLABEL)),
    "frame tif": Kind(partial(a_frame, "tif"), command(*PSEUDOLABEL)),
    "video mp4": Kind(partial(a_video, "mp4", "mpeg4"), command("pseudolabel", "v.mp4", *PSEUDOLABEL[2:])),
    "video avi": Kind(partial(a_video, "avi", "mpeg4"), command("pseudolabel", "v.avi", *PSEUDOLABEL[2:])),
    "video mkv": Kind(partial(a_video, "mkv", "libx264"), command("pseudolabel", "v.mkv", *PSEUDOLABEL[2:])),
    "film mp4": film_kind("mp4", "libx264"),
    "film mp4, in fragments": film_kind("mp4", "libx264", movflags="frag_keyframe+empty_moov"),
    "film mp4, hevc": film_kind("mp4", "libx265"),
    "film mov, 10 bit": film_kind("mov", "libx264", "yuv420p10le"),
    "film mkv, 16 bit": film_kind("mkv", "ffv1", "gray16le"),
    "film avi": film_kind("avi", "mpeg4"),
    "film avi, mjpeg": film_kind("avi", "mjpeg", "yuvj420p"),
    "film webm, vp9": film_kind("webm", "libvpx-vp9"),
    "film webm, vp8": film_kind("webm", "libvpx"),
    "film gif": film_kind("gif", "gif", "rgb8"),
    "film ts": film_kind("ts", "libx264", container="mpegts"),
    "film mpg": film_kind("mpg", "mpeg2video"),
    "film flv": film_kind("flv", "flv"),
    "film wmv": film_kind("wmv", "wmv2", container="asf"),
    "frames png": picture_kind("png"),
    "frames png, 16 bit": picture_kind("png", np.uint16),
    "frames jpg": picture_kind("jpg"),
    "frames bmp": picture_kind("bmp"),
    "frames webp": picture_kind("webp"),
    "frames tif": picture_kind("tif"),
    "frames tif, 16 bit": picture_kind("tif", np.uint16),
    "frames tif, float": picture_kind("tif", np.float32),
    "pages tif": picture_kind("tif", pages=5),
    "pages webp": picture_kind("webp", pages=5),
    "pages png": picture_kind("png", pages=5),
    **{
        # what is exported to Label Studio are predictions, to be looked at there
        f"annotations, {format}": Kind(
            partial(annotations, format), command(*PSEUDOLABEL, "--predictions"), text=True
        )
        for format in ("coco", "cvat", "labelme", "label-studio", "youtube-vis", "yolo", "supervisely")
    },
    "journal": Kind(partial(a_run, "journal.jsonl"), command(*PSEUDOLABEL), ALLOWED | {2}, text=True),
    "manifest": Kind(partial(a_run, "manifest.json"), command(*PSEUDOLABEL), ALLOWED | {2}, text=True),
    "frames.csv": Kind(partial(a_run, "frames.csv"), command(*PSEUDOLABEL), ALLOWED | {2}, text=True),
    "configuration": Kind(a_configuration, read_configuration, CONFIGURATION, text=True),
    "safetensors": Kind(a_safetensors, partial(load_network, "w.safetensors"), text=True),
    "pth": Kind(partial(a_pth, True), partial(read_weights, Path("w.pth"))),
    "pth, legacy": Kind(partial(a_pth, False), partial(read_weights, Path("w.pth"))),
    "checkpoint": Kind(a_checkpoint, partial(read_checkpoint, Path("last.pt"))),
    "log of a training": Kind(a_log, lambda: RunLog(Path("log.jsonl"), keep=9).close(), text=True),
    "evidence": Kind(an_evidence_array, partial(read_array, Path("a.npy"), MAPS), text=True),
    "index of evidence": Kind(an_evidence_index, partial(read_index, Path()), text=True),
}


@dataclass
class Tally:
    """What became of the attempts of a kind."""

    codes: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    memory: int = 0
    wrong: list[str] = field(default_factory=list)


def damaged(data: bytes, rng: random.Random, *, header: bool, text: bool) -> bytes:
    """The bytes of a file after an accident."""
    changed = bytearray(data)
    reach = min(len(data), HEADER) if header else len(data)
    number = rng.choice([match.span() for match in re.finditer(rb"-?\d+(\.\d+)?", data)] or [(0, 0)])
    match rng.randrange(5 if text else 4):
        case 0:
            del changed[rng.randrange(reach or 1) :]
        case 1:
            for _ in range(rng.randint(1, 8)):
                changed[rng.randrange(reach)] ^= 1 << rng.randrange(8)
        case 2:
            start = rng.randrange(reach)
            changed[start : start + rng.randint(1, 64)] = rng.randbytes(rng.randint(0, 64))
        case 3:
            start = rng.randrange(reach)
            changed[start : start + 8] = rng.choice((bytes(8), b"\xff" * 8, b"\x7f" + b"\xff" * 7))
        case _:
            changed[slice(*number)] = rng.choice(ABSURD).encode()
    return bytes(changed)


def attempt(kind: Kind, folder: Path) -> tuple[int, str, float, int]:
    """Read a folder in a process of its own: exit code, what it said, seconds of computing, peak in bytes."""
    told = folder.with_suffix(".txt")
    child = os.fork()
    if child == 0:
        signal.alarm(int(10 * PATIENCE))  # for what waits without computing
        resource.setrlimit(resource.RLIMIT_CPU, (int(2 * PATIENCE), int(2 * PATIENCE)))
        output = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(output, stream)
        os.chdir(folder)
        code = 1
        try:
            code = exit_code_of(kind.read if _is_command(kind) else partial(_quiet, kind.read))
        except BaseException:  # noqa: BLE001  whatever it is, it is a finding
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    _, status, usage = os.wait4(child, 0)
    text = told.read_text(errors="replace")
    told.unlink()
    return os.waitstatus_to_exitcode(status), text, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def _is_command(kind: Kind) -> bool:
    return isinstance(kind.read, partial) and kind.read.func is app


def _quiet(read: Callable[[], object]) -> None:
    read()


def fuzz(name: str, attempts: int, seed: int, keep: Path) -> Tally:
    """All attempts of a kind; what went wrong is kept."""
    kind, tally = KINDS[name], Tally()
    with tempfile.TemporaryDirectory() as place:
        made = Path(place) / "made"
        made.mkdir()
        victim = kind.make(made).relative_to(made)
        data = (made / victim).read_bytes()
        shutil.copytree(made, Path(place) / "whole")
        code, text, _, _ = attempt(kind, Path(place) / "whole")
        if code != 0:
            raise SystemExit(f"{name}: refused although whole: {text}")
        for number in range(attempts):
            rng = random.Random(f"{seed} {name} {number}")
            there = Path(place) / str(number)
            shutil.copytree(made, there)
            changed = damaged(data, rng, header=number % 2 == 1, text=kind.text)
            (there / victim).write_bytes(changed)
            code, text, seconds, memory = attempt(kind, there)
            tally.codes[code] += 1
            tally.seconds, tally.memory = max(tally.seconds, seconds), max(tally.memory, memory)
            faults = [
                f"exit {code}" if code not in kind.allowed else "",
                "traceback" if "Traceback" in text else "",
                f"{seconds:.0f} s" if seconds > PATIENCE else "",
                f"{memory >> 20} MiB" if memory > MOST_MEMORY else "",
            ]
            if any(faults):
                last = (text.strip().splitlines() or [""])[-1]
                tally.wrong.append(f"{number}: {', '.join(filter(None, faults))}: {last[:120]}")
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{name.replace(' ', '-')}-{number}-{victim.name}").write_bytes(changed)
            shutil.rmtree(there)
    return tally


def main() -> int:
    """Fuzz and print; 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of: {'; '.join(KINDS)}")
    parser.add_argument("--attempts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "vsodtool-fuzz")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    unknown = set(arguments.kinds) - set(KINDS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; expected some of {', '.join(KINDS)}")
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    lines = [
        "## Damaged files",
        "",
        *header(),
        "",
        "| kind | attempts | exit codes | slowest | most memory |",
    ]
    lines.append("|---|---:|---|---:|---:|")
    wrong: list[str] = []
    for name in arguments.kinds or KINDS:
        began = time.perf_counter()
        tally = fuzz(name, arguments.attempts, arguments.seed, arguments.keep)
        codes = ", ".join(f"{code}: {count}" for code, count in sorted(tally.codes.items()))
        lines.append(
            f"| {name} | {arguments.attempts} | {codes} | {tally.seconds:.1f} s | {tally.memory >> 20} MiB |"
        )
        wrong += [f"- {name} {line}" for line in tally.wrong]
        print(lines[-1], f"{time.perf_counter() - began:.0f} s", *tally.wrong, sep="\n", file=sys.stderr)
    lines += [
        "",
        f"{len(wrong)} attempts went wrong{': kept in ' + str(arguments.keep) if wrong else ''}.",
        *wrong,
    ]
    publish(lines, arguments.out)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
