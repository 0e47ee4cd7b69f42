"""The review page in figures: how soon it is there, how it steps, what it holds, how soon labels come.

    python benchmarks/review.py [--frames 5000] [--sequence SEQUENCE_ROOT NAME] [--quality balanced fast]
                                [--rounds 3] [--out FILE.md]

The server runs as a command, the page in the chromium of this machine, driven as by a person. A run of so
many small frames is made up for the first four rows. With --sequence, a DAVIS sequence gets the masks of
every tenth frame, and the time is that from saving a stroke on a frame in the middle until the page shows the
labels of its two intervals (18 frames): the first round also loads, the rest is warm, of which the median is
told. CPU seconds are those of the server. Needs `pip install playwright` and a chromium.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from davis import find_sequences
from machine import header, publish
from playwright.sync_api import sync_playwright

from vsodtool import pseudolabel
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import write_manifest
from vsodtool.media.output.resume import describe_run
from vsodtool.media.output.tables.frames_csv import write_frames_csv
from vsodtool.media.video.inputs import discover_videos
from vsodtool.types import FrameRecord, FrameStatus

EVERY = 10
STEPS = 30
WAIT = 300_000  # ms
_TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """`vsodtool review` as a process."""

    def __init__(self, out: Path) -> None:
        command = [sys.executable, "-m", "vsodtool", "review", str(out), "--no-browser", "--quiet"]
        began = time.perf_counter()
        self._process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, encoding="utf-8"
        )
        assert self._process.stderr is not None
        self.address = self._process.stderr.readline().strip()
        self.start = time.perf_counter() - began

    def memory(self) -> float:
        """Resident memory in MiB."""
        text = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) / 1024

    def cpu(self) -> float:
        """CPU seconds so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def close(self) -> None:
        """End it as a person does."""
        self._process.send_signal(signal.SIGINT)
        self._process.communicate()


@contextmanager
def opened(out: Path) -> Iterator[tuple[Server, Any, float]]:
    """The server, its page, and the seconds until the page was ready."""
    server = Server(out)
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(WAIT)
        page.goto("about:blank")
        began = time.perf_counter()
        page.goto(server.address)
        page.wait_for_selector('body[data-ready="yes"]')
        yield server, page, time.perf_counter() - began
        browser.close()
    server.close()


def make_up(folder: Path, count: int) -> Path:
    """A finished run of so many small frames."""
    rng = np.random.default_rng(0)
    frames, out = folder / "clip", OutputLayout(folder / "out")
    frames.mkdir()
    (out.root / "masks" / "clip").mkdir(parents=True)
    pictures, masks = [], []
    for turn in range(50):
        low = rng.integers(0, 256, (9, 16, 3), dtype=np.uint8)
        pictures.append(cv2.imencode(".jpg", cv2.resize(low, (320, 180)))[1].tobytes())
        mask = cv2.circle(np.zeros((180, 320), np.uint8), (100 + 2 * turn, 90), 40, 255, -1)
        masks.append(cv2.imencode(".png", mask)[1].tobytes())
    rows = []
    for index in range(count):
        name = f"{index:05d}"
        (frames / f"{name}.jpg").write_bytes(pictures[index % 50])
        out.masks("clip", name).write_bytes(masks[index % 50])
        given = index % EVERY == 0
        status = FrameStatus.GIVEN if given else FrameStatus.GENERATED
        left = index // EVERY * EVERY
        right = f"{left + EVERY:05d}" if left + EVERY < count else ""
        confidence = 1.0 if given else float(rng.uniform(0.4, 0.95))
        rows.append(FrameRecord("clip", name, status, f"{left:05d}", name if given else right, confidence))
    write_frames_csv(out.frames_csv, rows)
    config = {"inputs": [str(frames)], "output": str(out.root), "method": "warp"}
    manifest = describe_run("pseudolabel", config, discover_videos([str(frames)]), {})
    write_manifest(out.manifest, manifest.completed(rows, 1.0))
    return out.root


def look(count: int) -> list[str]:
    """Rows about looking."""
    with tempfile.TemporaryDirectory(prefix="vsodtool-review-bench-") as name:
        out = make_up(Path(name), count)
        ready, starts, steps, memory = [], [], [], []
        for _ in range(3):
            with opened(out) as (server, page, seconds):
                ready.append(seconds)
                starts.append(server.start)
                page.keyboard.press("Home")
                page.wait_for_selector('body[data-frame="0"]')
                page.wait_for_timeout(1000)
                began = time.perf_counter()
                for frame in range(1, STEPS + 1):
                    page.keyboard.press("ArrowRight")
                    page.wait_for_selector(f'body[data-frame="{frame}"]')
                steps.append(time.perf_counter() - began)
                memory.append(server.memory())
    return [
        f"| command until its address is printed, {count} frames | {median(starts):.2f} s | |",
        f"| page ready, {count} frames | {median(ready):.2f} s | < 1 s |",
        f"| {STEPS} frame steps, each waited for | {median(steps):.2f} s | < 1 s |",
        f"| memory of the server, nothing made again yet | {max(memory):.0f} MiB | < 600 MiB |",
    ]


def make_again(root: Path, name: str, quality: str, rounds: int) -> str:
    """A row about correcting."""
    sequence = next(each for each in find_sequences(root) if each.name == name)
    with tempfile.TemporaryDirectory(prefix="vsodtool-review-bench-") as folder:
        work = Path(folder)
        (work / "masks").mkdir()
        last = len(sequence.masks) - 1
        for index in sorted({*range(0, last, EVERY), last}):
            shutil.copy(sequence.masks[index], work / "masks" / f"{index:05d}.png")
        frames = sequence.frames[0].parent
        pseudolabel(inputs=frames, masks=work / "masks", output=work / "out", quality=quality, device="cpu")
        number = last // EVERY // 2 * EVERY
        seconds, cpu = [], []
        with opened(work / "out") as (server, page, _):
            page.keyboard.press("Home")
            for _ in range(number // 10):
                page.keyboard.press("Shift+ArrowRight")
            page.wait_for_selector(f'body[data-frame="{number}"]')
            for turn in range(rounds + 1):
                page.mouse.move(300 + 30 * turn, 300)
                page.mouse.down()
                page.mouse.move(330 + 30 * turn, 320, steps=4)
                page.mouse.up()
                before, began = server.cpu(), time.perf_counter()
                page.keyboard.press("s")
                page.wait_for_selector("#again:enabled")
                page.keyboard.press("u")
                page.wait_for_selector(f'body[data-made="{turn + 1}"]')
                seconds.append(time.perf_counter() - began)
                cpu.append(server.cpu() - before)
            size = "x".join(map(str, cv2.imread(str(sequence.masks[0])).shape[1::-1]))
            memory = server.memory()
    asked = {"balanced": "< 6 s", "fast": "< 4 s"}.get(quality, "")
    return (
        f"| saved until new labels are in the page, `{name}` {size}, 18 frames, {quality}: first, then warm "
        f"| {seconds[0]:.1f} s, {median(seconds[1:]):.1f} s ({median(cpu[1:]):.1f} CPU s; {memory:.0f} MiB) "
        f"| {asked} |"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--frames", type=int, default=5000)
    parser.add_argument("--sequence", nargs=2, metavar=("ROOT", "NAME"))
    parser.add_argument("--quality", nargs="+", default=["balanced", "fast"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    lines = [
        "## The review page: review.py",
        "",
        *header(),
        f"- load of the machine at the start: {load:.1f}",
        "",
    ]
    lines += ["| what | measured | asked |", "|---|---|---|", *look(options.frames)]
    if options.sequence:
        root, name = options.sequence
        lines += [make_again(Path(root), name, quality, options.rounds) for quality in options.quality]
    publish(lines, options.out)


if __name__ == "__main__":
    main()
