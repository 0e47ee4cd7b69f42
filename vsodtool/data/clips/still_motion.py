"""Motion made from still images: object and background move on their own, exact flow and masks are known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.data.clips.smooth_warp import SmoothWarp, Waves, draw_waves, unit_grid
from vsodtool.errors import ConfigError
from vsodtool.media.crops import Box
from vsodtool.ops.fill import fill_hole, grow
from vsodtool.ops.warp import sample

PADDING = 0.25  # the picture is continued beyond its borders by this share of its side
_CERTAIN = 0.02  # opacity within this of 0 or 1 counts as background or object
_WAVES = 3


@dataclass(frozen=True, kw_only=True)
class StillMotion:
    """How strongly things move; lengths are shares of the picture's side, all per frame.

    Attributes:
        camera_shift: largest pan.
        camera_turn: largest roll, radians.
        camera_zoom: largest change of size.
        camera_bend: largest displacement by waves, which stand for depth; not per frame.
        steady: probability that the camera does not move.
        object_shift: largest motion of the object against the background.
        object_turn: radians.
        object_zoom: largest change of size.
        object_bend: largest displacement by waves, which stand for limbs; not per frame.
    """

    camera_shift: float = 0.015
    camera_turn: float = 0.01
    camera_zoom: float = 0.01
    camera_bend: float = 0.01
    steady: float = 0.3
    object_shift: float = 0.03
    object_turn: float = 0.03
    object_zoom: float = 0.02
    object_bend: float = 0.02

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            ConfigError: naming the value.
        """
        for name in ("camera", "object"):
            for part in ("shift", "turn", "zoom", "bend"):
                value = getattr(self, f"{name}_{part}")
                if not 0 <= value <= 0.1:
                    raise ConfigError(f"motion: {name}_{part}: expected 0 to 0.1, found {value}")
        if not 0 <= self.steady <= 1:
            raise ConfigError(f"motion: steady: expected 0 to 1, found {self.steady}")


@dataclass(frozen=True)
class _Course:
    """How one layer moves over time: steadily, with a little acceleration, and swaying."""

    speed: npt.NDArray[np.float64]  # (2,)
    acceleration: npt.NDArray[np.float64]  # (2,)
    turn: float
    zoom: float
    waves: Waves
    rates: npt.NDArray[np.float64]  # radians per frame

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        strengths: tuple[float, float, float, float],
        lengths: tuple[float, float],
    ) -> _Course:
        """Draw one: largest shift, turn, zoom and bend, and the shortest and longest wavelength."""
        shift, turn, zoom, bend = strengths
        way, bent = rng.uniform(0, 2 * math.pi, 2)
        distance = shift * rng.random()
        return cls(
            speed=distance * np.array([math.cos(way), math.sin(way)]),
            acceleration=0.3 * distance * np.array([math.cos(bent), math.sin(bent)]),
            turn=turn * rng.uniform(-1, 1),
            zoom=zoom * rng.uniform(-1, 1),
            waves=draw_waves(rng, _WAVES, bend * rng.random(), lengths[1], lengths[0]),
            rates=rng.uniform(0.1, 0.6, _WAVES),
        )

    def at(self, age: float, centre: npt.NDArray[np.float64]) -> SmoothWarp:
        """The map after `age` frames, that of age 0 leaving everything in place."""
        c, s = math.cos(self.turn * age), math.sin(self.turn * age)
        return SmoothWarp(
            math.exp(self.zoom * age) * np.array([[c, -s], [s, c]]),
            centre,
            self.speed * age + self.acceleration * age * abs(age) / 2,
            self.waves.scaled(np.sin(self.rates * age)),
        )


class _Pose(NamedTuple):
    camera: SmoothWarp  # place in the frame -> place in the picture
    thing: SmoothWarp  # place in the picture -> place in the object's picture


class MovedClip:
    """Frames made from one picture.

    Attributes:
        images: float32 (T, 3, S, S) in [0, 1].
        labels: float32 (T, 1, S, S) in [0, 1].
    """

    def __init__(self, images: Tensor, labels: Tensor, poses: list[_Pose]) -> None:
        self.images, self.labels = images, labels
        self._poses = poses
        self._grid = unit_grid(images.shape[-1])

    def flow(self, a: int, b: int) -> Tensor:
        """The exact flow from frame a to frame b, (1, 2, S, S) in pixels: b(x + flow(x)) = a(x)."""
        start, end = self._poses[a], self._poses[b]
        world = start.camera.apply(self._grid)
        carried = end.thing.invert(start.thing.apply(world))
        world = torch.where(self.labels[a] >= 0.5, carried, world)
        return ((end.camera.invert(world) - self._grid) * self._grid.shape[-1])[None]

    def visible(self, a: int, b: int) -> Tensor:
        """Where the flow from a to b leads to the same thing in b, (1, 1, S, S), 0 or 1.

        0 where it leads out of the picture, behind the object, or to within a pixel of the object's outline,
        where a pixel shows both object and background.
        """
        side = self._grid.shape[-1]
        flow = self.flow(a, b)
        there = self._grid * side - 0.5 + flow[0]
        inside = ((there >= 0) & (there <= side - 1)).all(0)
        pure = [_purity(self.labels[frame][None]) for frame in (a, b)]
        stays = sample(pure[1], flow)
        certain = (pure[0].abs() > 1 - _CERTAIN) & (stays.abs() > 1 - _CERTAIN) & (pure[0] * stays > 0)
        return (certain & inside).float()


def _purity(label: Tensor) -> Tensor:
    """1 well inside the object, -1 well inside the background, 0 along the outline; (1, 1, S, S)."""
    return (1 - grow(1 - label, 1) > 1 - _CERTAIN).float() - (grow(label, 1) < _CERTAIN).float()


def move_still(
    image: Tensor,
    label: Tensor,
    *,
    ages: Sequence[float],
    side: int,
    box: Box,
    motion: StillMotion,
    rng: np.random.Generator,
) -> MovedClip:
    """A clip from one picture: the object cut out, what it hides filled in, both moved smoothly.

    A narrow rim around the object is filled in too, as labels are often a little too small: what is left of
    the object there would stay behind when it moves.

    Args:
        image: (3, H, W) in [0, 1], square.
        label: (1, H, W) in [0, 1], of the same size.
        ages: T times in frames; at age 0 nothing has moved.
        side: S, of the result.
        box: what the frame at age 0 shows of the picture.
        motion: how strongly things move.
        rng: source of chance.
    """
    poses = _draw_poses(motion, rng, label, ages, box)
    radius = max(round(image.shape[-1] / 64), 1)
    background = fill_hole(image[None], grow((label[None] > _CERTAIN).float(), radius))
    layers = torch.cat([_continue(image[None], "reflect"), _continue(label[None], "replicate")], dim=1)
    background = _continue(background, "reflect")
    grid = unit_grid(side)
    images, labels = [], []
    for pose in poses:
        world = pose.camera.apply(grid)
        behind = _look_up(background, world, image.shape[-1])
        front = _look_up(layers, pose.thing.apply(world), image.shape[-1])
        opacity = front[:, 3:]
        images.append(behind + (front[:, :3] - behind) * opacity)
        labels.append(opacity)
    return MovedClip(torch.cat(images).clamp_(0, 1), torch.cat(labels).clamp_(0, 1), poses)


def _continue(picture: Tensor, mode: str) -> Tensor:
    """Beyond the borders textures are mirrored; outlines go straight on, so that no new thing comes in."""
    margin = round(PADDING * picture.shape[-1])
    return functional.pad(picture, [margin] * 4, mode=mode)


def _look_up(picture: Tensor, points: Tensor, side: int) -> Tensor:
    """A picture continued by `_continue` at points (2, S, S) in units of its side before that."""
    margin = round(PADDING * side)
    pixels = points * side - 0.5 + margin
    count = points.shape[-1]
    indices = unit_grid(count) * count - 0.5
    return sample(picture, (pixels - indices)[None])


def _draw_poses(
    motion: StillMotion, rng: np.random.Generator, label: Tensor, ages: Sequence[float], box: Box
) -> list[_Pose]:
    still = bool(rng.random() < motion.steady)
    course = (motion.camera_shift, motion.camera_turn, motion.camera_zoom, motion.camera_bend)
    camera = _Course.draw(rng, course, (0.7, 1.5))
    course = (motion.object_shift, motion.object_turn, motion.object_zoom, motion.object_bend)
    thing = _Course.draw(rng, course, (0.25, 0.7))
    middle, centre = np.array([0.5, 0.5]), _centre(label)
    view = np.array([box.width, box.height])
    offset = np.array([box.left, box.top]) + view / 2 - middle
    poses = []
    for age in ages:
        seen = camera.at(0.0 if still else age, middle)
        framed = SmoothWarp(
            seen.matrix @ np.diag(view),
            middle,
            seen.shift * view + offset,
            seen.waves.scaled(np.full(len(seen.waves.phases), view.min())),
        )
        poses.append(_Pose(framed, thing.at(age, centre)))
    return poses


def _centre(label: Tensor) -> npt.NDArray[np.float64]:
    """Where the object is, (right, down) in [0, 1]; the middle where there is none."""
    total = label.sum()
    if total <= 0:
        return np.array([0.5, 0.5])
    grid = unit_grid(label.shape[-1])
    return ((grid * label).sum((-2, -1)) / total).double().numpy()
