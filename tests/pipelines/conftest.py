"""Clips of a camera that moves by whole pixels, an estimator that is exact on them; trainings of seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch

from vsodtool.config import TrainConfig

Pixels = npt.NDArray[np.uint8]


class ExactTranslation:
    """The whole-pixel translation under which most pixels agree; nothing learned, nothing interpolated."""

    name = "exact-translation"

    def __init__(self, right: int = 5, down: int = 2) -> None:
        self._reach = right, down

    def estimate(
        self, image_a: torch.Tensor, image_b: torch.Tensor, *, initial: torch.Tensor | None = None
    ) -> torch.Tensor:
        flow = torch.zeros(len(image_a), 2, *image_a.shape[-2:])
        for index, (a, b) in enumerate(zip(image_a, image_b, strict=True)):
            right, down = self._shift(a, b)
            flow[index, 0], flow[index, 1] = right, down
        return flow

    def _shift(self, a: torch.Tensor, b: torch.Tensor) -> tuple[int, int]:
        height, width = a.shape[-2:]
        scores = {}
        for down in range(-self._reach[1], self._reach[1] + 1):
            for right in range(-self._reach[0], self._reach[0] + 1):
                rows, columns = (
                    slice(max(0, -down), height - max(0, down)),
                    slice(max(0, -right), width - max(0, right)),
                )
                there = b.roll((-down, -right), (-2, -1))[:, rows, columns]
                scores[right, down] = int(((a[:, rows, columns] - there).abs().amax(0) < 0.05).sum())
        return max(scores, key=lambda shift: (scores[shift], -abs(shift[0]) - abs(shift[1])))


@dataclass(frozen=True)
class Clip:
    """A clip with known truth.

    Attributes:
        frames: RGB, (H, W, 3) each.
        truth: object ids, (H, W) each.
    """

    frames: list[Pixels]
    truth: list[Pixels]

    def write_folder(self, folder: Path) -> Path:
        folder.mkdir(parents=True)
        for index, frame in enumerate(self.frames):
            assert cv2.imwrite(str(folder / f"{index:05d}.png"), np.ascontiguousarray(frame[..., ::-1]))
        return folder

    def write_video(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "threads": "1"})
            stream.height, stream.width = self.frames[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            for rgb in self.frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
            container.mux(stream.encode())
        return path

    def write_masks(self, folder: Path, labelled: Sequence[int], scale: int = 255) -> Path:
        folder.mkdir(parents=True)
        for index in labelled:
            assert cv2.imwrite(str(folder / f"{index:05d}.png"), self.truth[index] * np.uint8(scale))
        return folder


@dataclass(frozen=True)
class Scene:
    """What a camera sees that moves `steps` (right, down) between the frames, from `start`.

    Attributes:
        steps: motion of the camera between neighbouring frames.
        size: (H, W) of the frames.
        objects: id -> (top, left, height, width) on the plane; the frame starts at `start`.
    """

    steps: list[tuple[int, int]]
    size: tuple[int, int] = (40, 56)
    start: tuple[int, int] = (60, 60)
    objects: dict[int, tuple[int, int, int, int]] = field(default_factory=lambda: {1: (72, 80, 12, 15)})

    def film(self) -> Clip:
        plane = np.random.default_rng(5).integers(0, 256, (180, 200, 3), dtype=np.uint8)
        ids = np.zeros(plane.shape[:2], np.uint8)
        for number, (top, left, height, width) in self.objects.items():
            ids[top : top + height, left : left + width] = number
        places = list(
            accumulate(self.steps, lambda at, step: (at[0] + step[1], at[1] + step[0]), initial=self.start)
        )
        height, width = self.size
        seen = [(slice(top, top + height), slice(left, left + width)) for top, left in places]
        return Clip([plane[part].copy() for part in seen], [ids[part].copy() for part in seen])


@pytest.fixture
def film() -> Callable[..., Clip]:
    """Film a scene: the arguments of `Scene`."""
    return lambda *args, **kwargs: Scene(*args, **kwargs).film()


@pytest.fixture
def exact() -> ExactTranslation:
    return ExactTranslation()


MakeConfig = Callable[..., TrainConfig]

# A network of a million parameters, six steps of two clips, everything switched on that could go wrong.
TINY: dict[str, object] = {
    "validation_share": 0.25,
    "augment": "strong",
    "clip_length": 2,
    "size": 64,
    "backbone": "mobilenet_v3_small",
    "context_width": 8,
    "skip_width": 8,
    "refine_width": 8,
    "decoder_width": 8,
    "init": "scratch",
    "batch_norm": "learned",
    "epochs": 2,
    "steps_per_epoch": 3,
    "batch_size": 2,
    "learning_rate": 1e-3,
    "schedule": "cosine",
    "warmup": 2,
    "clip_gradient": 1.0,
    "ema": 0.9,
    "sheet_rows": 2,
    "device": "cpu",
    "workers": 1,
}


@pytest.fixture
def one_thread() -> Iterator[None]:
    """For networks as small as these, threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def davis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DAVIS-style root: four videos of five frames, a bright square that moves over noise."""
    root = tmp_path_factory.mktemp("davis")
    for video in range(4):
        rng = np.random.default_rng(video)
        for folder in ("JPEGImages", "Annotations"):
            (root / folder / f"v{video}").mkdir(parents=True)
        for frame in range(5):
            picture = rng.integers(0, 120, (48, 64, 3), dtype=np.uint8)
            mask = np.zeros((48, 64), np.uint8)
            mask[12:32, 8 + 6 * frame : 28 + 6 * frame] = 255
            picture[mask > 0] += 120
            name = f"v{video}/{frame:05d}"
            cv2.imwrite(str(root / "JPEGImages" / f"{name}.jpg"), picture)
            cv2.imwrite(str(root / "Annotations" / f"{name}.png"), mask)
    return root


@pytest.fixture
def config(davis: Path, tmp_path: Path) -> MakeConfig:
    """A configuration of a tiny training into tmp_path/run, with these changes."""

    def make(**changes: object) -> TrainConfig:
        values = {"kind": "video", "data": (str(davis),), "output": tmp_path / "run", **TINY, **changes}
        return TrainConfig(**values)  # type: ignore[arg-type]

    return make


@pytest.fixture
def config_file(davis: Path, tmp_path: Path) -> Callable[..., Path]:
    """The same as a YAML file, without the output."""

    def write(**changes: object) -> Path:
        values = {"kind": "video", "data": [str(davis)], **TINY, **changes}
        path = tmp_path / "tiny.yaml"
        path.write_text("".join(f"{name}: {value}\n" for name, value in values.items()))
        return path

    return write
