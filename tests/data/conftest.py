"""Small data sets on the disk: numbered frames with a bright square that moves, and its masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vsodtool.data.sources.labelled import LabelledFrame, LabelledVideo
from vsodtool.media.masks.encoding import MaskEncoding
from vsodtool.media.masks.meaning import Meaning
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import write_manifest
from vsodtool.media.output.resume import describe_run
from vsodtool.media.output.tables.frames_csv import write_frames_csv
from vsodtool.media.video.inputs import discover_videos
from vsodtool.types import FrameRecord, FrameStatus

SIZE = (48, 64)


def picture(number: int, size: tuple[int, int] = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """RGB and mask of a frame: noise as background, a square at (10, 6 + 2 * number)."""
    rgb = np.random.default_rng(7).integers(0, 120, (*size, 3), dtype=np.uint8)
    mask = np.zeros(size, np.uint8)
    left = (6 + 2 * number) % (size[1] - 16)
    mask[10:26, left : left + 16] = 255
    rgb[mask > 0] = (240, 30 + number, 20)
    return rgb, mask


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    bgr = pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., ::-1])
    assert cv2.imwrite(str(path), bgr)


@dataclass(frozen=True)
class Disk:
    """Writes data sets below a folder."""

    root: Path

    def davis(self, videos: Sequence[str], frames: int = 8, labelled: Iterable[int] | None = None) -> Path:
        for video in videos:
            for number in range(frames):
                rgb, mask = picture(number)
                write(self.root / f"JPEGImages/{video}/{number:05d}.png", rgb)
                if labelled is None or number in labelled:
                    write(self.root / f"Annotations/{video}/{number:05d}.png", mask)
        return self.root

    def clip(self, labelled: Iterable[int], frames: int = 8) -> tuple[Path, Path]:
        """A video file and its folder of masks."""
        path, masks = self.root / "clip.mp4", self.root / "masks"
        self.root.mkdir(parents=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"threads": "1"})
            stream.height, stream.width = SIZE
            stream.pix_fmt = "yuv420p"
            for number in range(frames):
                rgb = cv2.GaussianBlur(picture(number)[0], (0, 0), 2)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
            container.mux(stream.encode())
        for number in labelled:
            write(masks / f"{number:05d}.png", picture(number)[1])
        return path, masks

    def stills(self, number: int = 6) -> Path:
        for one in range(number):
            rgb, mask = picture(one, (40 + 4 * (one % 3), 60))
            write(self.root / f"images/picture_{one * one}.png", rgb)
            write(self.root / f"masks/picture_{one * one}.png", mask)
        return self.root

    def pseudo(self, root: Path, every: int, confidence: float = 0.5, maps: bool = False) -> Path:
        """An output folder of pseudolabel for the videos of a DAVIS-style root."""
        layout = OutputLayout(self.root)
        videos = discover_videos([str(root)])
        records = []
        for video in videos:
            for number, file in enumerate(video.files):
                given = number % every == 0
                status = FrameStatus.GIVEN if given else FrameStatus.GENERATED
                sure = 1.0 if given else confidence
                records.append(FrameRecord(video.name, file.stem, status, "", "", sure))
                write(layout.masks(video.name, file.stem), picture(number)[1])
                if maps and not given:
                    write(layout.confidence(video.name, file.stem), np.full(SIZE, 51, np.uint8))
        write_frames_csv(layout.frames_csv, records)
        manifest = describe_run("pseudolabel", {}, videos, {})
        write_manifest(layout.manifest, manifest.completed(records, 1.0))
        return self.root


@pytest.fixture
def disk(tmp_path: Path) -> Callable[[str], Disk]:
    return lambda name: Disk(tmp_path / name)


@pytest.fixture(scope="session")
def nowhere() -> Callable[..., LabelledVideo]:
    """A video whose files do not exist: positions of its given and of its pseudo-labelled frames."""

    def make(
        given: Iterable[int], pseudo: Iterable[int] = (), name: str = "v", **more: object
    ) -> LabelledVideo:
        drawn = set(given)
        frames = tuple(
            LabelledFrame(f"{p:05d}", p, Path(f"/{name}/{p}.png"), Path("m"), SIZE, p in drawn)
            for p in sorted({*drawn, *pseudo})
        )
        return LabelledVideo(
            name,
            Path(f"/{name}"),
            frames,
            MaskEncoding("binary255", Meaning(threshold=128, families=frozenset({"grey8"}))),
            **more,
        )  # type: ignore[arg-type]

    return make
