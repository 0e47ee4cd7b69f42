"""Kill `vsodtool pseudolabel` at random moments, run it again, and compare with an undisturbed run.

    python benchmarks/kill_resume.py [INPUT --masks MASKS] [--every N] [--kills 10] [--seed 0]
                                     [--quality balanced] [--device auto] [--hashes]

Without INPUT a generated clip is used. After each SIGKILL all files under final names are decoded; when a run
comes to its end all outputs are compared byte for byte (manifest.json without its times), and the next round
begins with nothing, until the kills are used up. Exit status 1 if anything differs.

`--hashes` kills nothing: it measures what part of a run's time goes into hashes of its outputs, in a run from
nothing, in one of which half of the outputs are gone, and in one that has nothing left to do.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import av
import cv2
from machine import header

from vsodtool.config import PseudoLabelConfig
from vsodtool.media.output import resume, stamps
from vsodtool.pipelines.pseudolabel import run_pseudolabel

HERE = Path(__file__).resolve().parent
VOLATILE = ("second", "time", "date", "started", "finished", "created", "updated", "resumed")


def start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a run in a process group of its own, so that a kill reaches its helpers too."""
    with log.open("ab") as file:
        return subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)


def broken_files(output: Path) -> list[str]:
    """Files under a final name that are not complete."""
    bad = []
    for path in sorted(output.rglob("*")) if output.exists() else []:
        if path.is_dir() or path.name.startswith("."):
            continue
        if path.suffix == ".png":
            whole = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) is not None and path.read_bytes().endswith(
                b"IEND\xaeB`\x82"
            )
        elif path.suffix == ".json":
            whole = _parses(path)
        elif path.suffix == ".mp4":
            whole = _plays(path)
        elif path.suffix == ".csv":
            whole = path.read_bytes().endswith(b"\n")
        else:  # the journal: a torn last line is allowed, it has no final name
            whole = True
        if not whole:
            bad.append(str(path.relative_to(output)))
    return bad


def _count(output: Path) -> int:
    return sum(1 for path in output.rglob("*.*") if not path.name.startswith("."))


def _parses(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True


def _plays(path: Path) -> bool:
    try:
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(video=0)) > 0
    except av.FFmpegError:
        return False


def digest(output: Path) -> dict[str, str]:
    """Hash of every output, of the manifest without what changes from run to run."""
    result = {}
    for path in sorted(output.rglob("*")):
        if path.is_file() and path.name != ".vsodtool.lock":
            data = path.read_bytes()
            if path.name == "manifest.json":
                text = json.dumps(_stable(json.loads(data)), sort_keys=True)
                data = text.replace(str(output), "OUT").encode()
            result[path.relative_to(output).as_posix()] = hashlib.sha256(data).hexdigest()
    return result


def _stable(value: object) -> object:
    if isinstance(value, dict):
        return {k: _stable(v) for k, v in value.items() if not any(word in k.lower() for word in VOLATILE)}
    return [_stable(item) for item in value] if isinstance(value, list) else value


def main() -> None:
    """Kill, resume, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", type=Path, nargs="?")
    parser.add_argument("--masks", type=Path)
    parser.add_argument("--every", type=int, default=0)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quality", default="balanced")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--hashes", action="store_true")
    arguments = parser.parse_args()
    if (arguments.input is None) != (arguments.masks is None):
        parser.error("give both INPUT and --masks, or neither")
    with tempfile.TemporaryDirectory() as temporary:
        measure = _measure_hashes if arguments.hashes else _measure
        failed = measure(arguments, Path(temporary))
    sys.exit(1 if failed else 0)


def _clip(arguments: argparse.Namespace, folder: Path) -> tuple[Path, Path]:
    """The video and its masks, made if none were given."""
    if arguments.input is not None:
        return arguments.input, arguments.masks
    make = [sys.executable, str(HERE / "long_video.py"), str(folder / "clip"), "--frames", "120"]
    subprocess.run([*make, "--height", "240", "--width", "426"], check=True)
    return folder / "clip" / "long.mp4", folder / "clip" / "masks"


class HashClock:
    """Seconds that all threads spend in `stamp`, on the clock and of computing."""

    def __init__(self) -> None:
        self.calls, self.wall, self.cpu = 0, 0.0, 0.0
        self._lock = threading.Lock()
        self._stamp = stamps.stamp
        stamps.stamp = resume.stamp = self._timed  # type: ignore[attr-defined]

    def _timed(self, path: Path) -> stamps.Stamp:
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            return self._stamp(path)
        finally:
            with self._lock:
                self.calls += 1
                self.wall += time.perf_counter() - wall
                self.cpu += time.thread_time() - cpu


def _measure_hashes(arguments: argparse.Namespace, folder: Path) -> bool:
    clip, masks = _clip(arguments, folder)
    config = PseudoLabelConfig(
        inputs=(str(clip),),
        masks=(str(masks),),
        output=folder / "output",
        method="warp",
        every=arguments.every,
        quality=arguments.quality,
        device=arguments.device,
        soft=True,
        confidence=True,
    )
    lines = ["## kill_resume.py --hashes", "", *header(), ""]
    lines += ["| run | files hashed | CPU s of them | CPU s of the run | share | of the clock |"]
    lines += ["|---|---:|---:|---:|---:|---:|"]
    clock = HashClock()
    for title in ("from nothing", "half of the outputs gone", "nothing left to do"):
        if title.startswith("half"):
            for place in ("masks", "soft", "confidence"):
                for path in sorted((folder / "output" / place).rglob("*.png"))[::2]:
                    path.unlink()
        before = clock.calls, clock.cpu, clock.wall
        wall, cpu = time.perf_counter(), time.process_time()
        run_pseudolabel(config)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        own, own_wall = clock.cpu - before[1], clock.wall - before[2]
        lines.append(
            f"| {title} | {clock.calls - before[0]} | {own:.2f} | {cpu:.1f} |"
            f" {own / cpu:.1%} | {own_wall / wall:.1%} |"
        )
    print("\n".join(lines))
    return False


def _measure(arguments: argparse.Namespace, folder: Path) -> bool:
    chance = random.Random(arguments.seed)
    clip, masks = _clip(arguments, folder)
    base = [
        sys.executable,
        "-m",
        "vsodtool",
        "pseudolabel",
        str(clip),
        "--masks",
        str(masks),
        "--method",
        "warp",
    ]
    base += ["--every", str(arguments.every), "--quality", arguments.quality, "--device", arguments.device]
    base += ["--soft", "--confidence", "--overlay", "--quiet"]

    log, output = folder / "log.txt", folder / "output"
    expected, first, whole = _undisturbed(base, folder / "calm", log)
    kills, rounds, broken, differing = 0, 0, [], []
    while kills < arguments.kills or output.exists():
        process = start([*base, "-o", str(output)], log)
        if kills < arguments.kills:
            _wait_for_the_moment(process, output, chance, first, whole)
        else:
            process.wait()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
            found = broken_files(output)
            print(f"kill {kills}: {_count(output)} files there, broken: {found or 'none'}", file=sys.stderr)
            broken += found
            continue
        if process.returncode:
            raise SystemExit(f"a resumed run ended with {process.returncode}:\n{log.read_text()[-2000:]}")
        rounds += 1
        own = digest(output)
        differing += [
            name for name in sorted(expected.keys() | own.keys()) if expected.get(name) != own.get(name)
        ]
        shutil.rmtree(output)
    lines = ["## kill_resume.py", "", *header(), ""]
    lines += [f"- kills: {kills}, seed {arguments.seed}; runs brought to their end: {rounds}"]
    lines += [f"- half-written files seen: {broken or 'none'}"]
    lines += [
        f"- outputs that differ from the undisturbed run ({len(expected)} files): {differing or 'none'}"
    ]
    print("\n".join(lines))
    return bool(broken or differing)


def _undisturbed(base: list[str], calm: Path, log: Path) -> tuple[dict[str, str], float, float]:
    """Run to the end: digest, seconds to the first mask, seconds in all."""
    begin = time.perf_counter()
    process, first = start([*base, "-o", str(calm)], log), 0.0
    while process.poll() is None:
        if not first and (calm / "masks").exists():
            first = time.perf_counter() - begin
        time.sleep(0.02)
    whole = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit(f"the undisturbed run ended with {process.returncode}:\n{log.read_text()[-2000:]}")
    expected = digest(calm)
    print(
        f"undisturbed: {whole:.1f} s, first files after {first:.1f} s, {len(expected)} files", file=sys.stderr
    )
    return expected, first, whole


def _wait_for_the_moment(
    process: subprocess.Popen[bytes], output: Path, chance: random.Random, first: float, whole: float
) -> None:
    """Return when the kill is due, or when the run has ended."""
    if chance.random() < 0.75:  # die at work: first let this life write something
        before = _count(output)
        while process.poll() is None and _count(output) == before:
            time.sleep(0.01)
        delay = chance.uniform(0, (whole - first) / 4)
    else:  # die while starting, or soon after
        delay = chance.uniform(0, 1.2 * first)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(delay)


if __name__ == "__main__":
    main()
