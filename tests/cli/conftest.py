"""Running the command line, inside this process and as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from vsodtool.config import CommonConfig
from vsodtool.types import Event, OnEvent

Pixels = npt.NDArray[np.uint8]
Cli = Callable[..., tuple[int, str, str]]
Process = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command line in this process: exit code, stdout, stderr."""
    from vsodtool.cli.app import app
    from vsodtool.cli.failure import exit_code_of

    def run(*arguments: object) -> tuple[int, str, str]:
        given = [str(argument) for argument in arguments]
        code = exit_code_of(lambda: app(given, prog_name="vsodtool", standalone_mode=False))
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def process(tmp_path: Path) -> Process:
    """Run a command line as a process in an empty folder."""

    def run(
        *arguments: object, stdin: str = "", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONUTF8": "1", **(env or {})},
            cwd=tmp_path,
            check=False,
        )

    return run


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "vsodtool", *map(str, arguments)]


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """A folder of four small frames, with a space and an umlaut in its name."""
    folder = tmp_path / "clip ü"
    folder.mkdir()
    for index in range(4):
        picture = np.random.default_rng(index).integers(0, 256, (24, 32, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{index}.png"), picture)
    return folder


@dataclass(frozen=True)
class SmallClip:
    """A square that moves over a texture, as pictures and as a video file, and its masks.

    Attributes:
        root: the folder that everything is put in; the output belongs in `root / "out"`.
        count: number of frames.
        size: (H, W).
    """

    root: Path
    count: int
    size: tuple[int, int]

    def frame(self, index: int) -> Pixels:
        """RGB, uint8 (H, W, 3)."""
        small = np.random.default_rng(1).integers(0, 256, (9, 12, 3), dtype=np.uint8)
        picture = cv2.resize(small, self.size[::-1], interpolation=cv2.INTER_CUBIC)
        square = self._square(index)
        picture[square] = 255 - picture[self._square(0)][..., ::-1]  # its own texture, which moves along
        return picture.astype(np.uint8)

    def mask(self, index: int) -> Pixels:
        """0 or 255, uint8 (H, W)."""
        mask = np.zeros(self.size, np.uint8)
        mask[self._square(index)] = 255
        return mask

    def _square(self, index: int) -> tuple[slice, slice]:
        height, width = self.size
        left = width // 4 + index % max(width // 3, 1)
        return slice(height // 4, height // 4 + max(height // 3, 1)), slice(left, left + max(width // 3, 1))

    def folder(self, name: str = "clip", suffix: str = "png") -> Path:
        """Write the frames as pictures."""
        folder = self.root / name
        folder.mkdir(parents=True)
        for index in range(self.count):
            assert cv2.imwrite(str(folder / f"{index:05d}.{suffix}"), self.frame(index)[..., ::-1])
        return folder

    def file(self, name: str = "clip.mp4") -> Path:
        """Write the frames as a video; its index stands at the front, so that it can be cut."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "threads": "1"})
            stream.height, stream.width = self.size
            stream.pix_fmt = "yuv420p"
            stream.codec_context.gop_size = 4
            for index in range(self.count):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(self.frame(index), format="rgb24")))
            container.mux(stream.encode())
        return path

    def masks(self, *labelled: int, name: str = "masks") -> Path:
        """Write masks of these frames."""
        folder = self.root / name
        folder.mkdir(parents=True)
        for index in labelled:
            assert cv2.imwrite(str(folder / f"{index:05d}.png"), self.mask(index))
        return folder


@pytest.fixture
def small_clip(tmp_path: Path) -> Callable[..., SmallClip]:
    """Make a `SmallClip` of so many frames and such a size under tmp_path."""

    def make(count: int = 6, size: tuple[int, int] = (72, 96), root: Path = tmp_path) -> SmallClip:
        return SmallClip(root, count, size)

    return make


@pytest.fixture
def small_network(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make the weights of a tiny network of a kind: video, image or fgplg; always the same ones."""

    def make(kind: str = "video") -> Path:
        import torch

        from vsodtool.models.architecture import Architecture
        from vsodtool.models.preprocessing import Preprocessing
        from vsodtool.models.weights.networks import create_network
        from vsodtool.pipelines.networks.save import save_network

        torch.manual_seed(3)
        network = create_network(
            Architecture(
                kind=kind,
                backbone="mobilenet_v3_small",
                context_width=8,
                skip_width=4,
                refine_width=8,
                decoder_width=8,
            )
        )
        for parameter in network.decoder.parameters():
            parameter.data *= 20  # maps that are neither black nor white
        path = tmp_path_factory.mktemp("network") / f"{kind}.safetensors"
        save_network(path, network, Preprocessing(size=64))
        return path

    return make


@pytest.fixture
def configs(monkeypatch: pytest.MonkeyPatch) -> list[CommonConfig]:
    """The configurations that the pipelines were called with, instead of which reports are made up."""
    from tests.cli.reports import (
        DEMO_REPORT,
        FLOW_REPORT,
        PREDICT_REPORT,
        REVIEW_REPORT,
        LabelReport,
        LabelVideoReport,
    )

    seen: list[CommonConfig] = []

    def fake(report: object) -> Callable[..., object]:
        def run(config: CommonConfig, *, on_event: OnEvent) -> object:
            seen.append(config)
            on_event(Event("notice", message="at work"))
            return report

        return run

    monkeypatch.setattr("vsodtool.pipelines.flow.run_flow", fake(FLOW_REPORT))
    monkeypatch.setattr("vsodtool.pipelines.predict.run_predict", fake(PREDICT_REPORT))
    monkeypatch.setattr("vsodtool.pipelines.demo.run_demo", fake(DEMO_REPORT))
    monkeypatch.setattr("vsodtool.pipelines.review.run_review", fake(REVIEW_REPORT))
    stand_in = types.ModuleType("pseudolabel")
    stand_in.run_pseudolabel = fake(LabelReport([LabelVideoReport()], []))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vsodtool.pipelines.pseudolabel", stand_in)
    return seen
