"""A generated clip with exact truth: a star drifts over a sea floor and passes behind a post.

For the demo, the tests and the benchmarks: no download, and masks and flow are true by construction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from vsodtool.data.generated.motion import FloatArray, Points, Pose, camera, star
from vsodtool.data.generated.texture import Palette, Texture, colour, noise
from vsodtool.errors import ConfigError
from vsodtool.types import ImageArray

SEA_FLOOR: Palette = ((16, 46, 66), (34, 84, 96), (78, 124, 116), (150, 160, 130), (214, 204, 168))
STAR: Palette = ((128, 26, 40), (198, 54, 34), (226, 92, 36), (240, 134, 50), (254, 226, 160))
WOOD: Palette = ((74, 52, 42), (122, 92, 70), (178, 146, 112))
PARALLAX = 1.5  # the post stands nearer than the floor
POST = Pose(x=0.06, y=0.0, angle=math.radians(7), scale=1.0)
POST_HALF_WIDTH = 0.042
SHADOW_OFFSET = (0.03, 0.045)
SHADOW_SOFTNESS = 0.05


@dataclass(frozen=True)
class ClipConfig:
    """What to generate.

    Attributes:
        frames: number of frames, at least 1; the motion is spread over them.
        height: pixels, at least 16.
        width: pixels, at least 16.
        seed: of the textures and of the noise; the motion is always the same.
        noise: standard deviation of the sensor noise in grey levels.
        shadow: darkness of the star's shadow on the floor, in [0, 1].
        flow: also give the forward flow.
    """

    frames: int = 48
    height: int = 240
    width: int = 427
    seed: int = 0
    noise: float = 2.0
    shadow: float = 0.4
    flow: bool = False


@dataclass(frozen=True)
class GeneratedClip:
    """A clip and its truth; a frame's name is its zero-padded index.

    Attributes:
        frames: uint8 (H, W, 3), RGB.
        masks: bool (H, W), True where at least half of the pixel is visibly the star.
        flows: float32 (H, W, 2) in pixels (right, down): from the visible point of a pixel to its place in
            the next frame; one fewer than frames, empty unless asked for.
    """

    frames: list[ImageArray]
    masks: list[npt.NDArray[np.bool_]]
    flows: list[FloatArray]

    @property
    def names(self) -> list[str]:
        """Frame names: 00000, 00001, ..."""
        return [f"{index:05d}" for index in range(len(self.frames))]


def generate_clip(config: ClipConfig) -> GeneratedClip:
    """Render a clip; the same config gives the same pixels.

    Raises:
        ConfigError: a field is out of its range.
    """
    _check(config)
    scene = _Scene(config)
    phases = [index / max(config.frames - 1, 1) for index in range(config.frames)]
    frames, masks = [], []
    for index, phase in enumerate(phases):
        image, mask = scene.render(phase)
        grain = np.random.default_rng([config.seed, 1, index]).standard_normal(image.shape, np.float32)
        frames.append(np.clip(image + config.noise * grain + 0.5, 0, 255).astype(np.uint8))
        masks.append(mask)
    flows = [scene.flow(a, b) for a, b in pairwise(phases)] if config.flow else []
    return GeneratedClip(frames, masks, flows)


def _check(config: ClipConfig) -> None:
    limits = (("frames", config.frames, 1), ("height", config.height, 16), ("width", config.width, 16))
    for name, value, least in limits:
        if value < least:
            raise ConfigError(f"clip: {name} must be at least {least}, found {value}")
    if not (config.noise >= 0 and 0 <= config.shadow <= 1):
        raise ConfigError(
            f"clip: expected noise >= 0 and shadow in [0, 1], found {config.noise} and {config.shadow}"
        )


class _Scene:
    """The textures, the pixel grid, and the layers from back to front."""

    def __init__(self, config: ClipConfig) -> None:
        rng = np.random.default_rng([config.seed, 0])
        self.config = config
        self.density = float(config.height)  # one texel a pixel, so that textures stay sharp at every size
        self.floor = self._texture(rng, SEA_FLOOR, 1.8, 3.6, cells=(5, 10), octaves=6, persistence=0.8)
        self.star = self._texture(rng, STAR, 2.0, 2.0, cells=(14, 14), octaves=4, persistence=0.85)
        self.wood = self._texture(rng, WOOD, 2.0, 1.0, cells=(4, 64), octaves=2, persistence=0.7)
        x = (np.arange(config.width, dtype=np.float32) - (config.width - 1) / 2) / config.height
        y = (np.arange(config.height, dtype=np.float32) - (config.height - 1) / 2) / config.height
        grid = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        self.grid: Points = (grid[0], grid[1])

    def _texture(
        self,
        rng: np.random.Generator,
        palette: Palette,
        height: float,
        width: float,
        *,
        cells: tuple[int, int],
        octaves: int,
        persistence: float,
    ) -> Texture:
        size = (round(height * self.density), round(width * self.density))
        return Texture(colour(noise(rng, size, cells, octaves, persistence), palette), self.density)

    def _cover(self, distance: FloatArray, pixel: float) -> FloatArray:
        """Share of a pixel inside an edge at this signed distance; `pixel` is its size in the world."""
        share: FloatArray = np.clip(distance / np.float32(pixel) + np.float32(0.5), 0, 1)
        return share

    def _post(self, phase: float) -> tuple[Points, FloatArray, FloatArray]:
        """Post coordinates (across, along), its coverage and its shading."""
        view = camera(phase, PARALLAX)
        local = POST.to_local(view.to_world(self.grid))
        across = np.abs(local[0])
        cover = self._cover(np.float32(POST_HALF_WIDTH) - across, view.scale / self.density)
        shade = np.sqrt(np.maximum(1 - (0.92 * across / POST_HALF_WIDTH) ** 2, 0.1))
        return local, cover, shade

    def render(self, phase: float) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """The picture, float32 (H, W, 3) without noise, and the mask."""
        view, thing = camera(phase), star(phase)
        pixel = view.scale / self.density
        world = view.to_world(self.grid)
        image = self.floor.sample(*world)
        shadow_at = (world[0] - np.float32(SHADOW_OFFSET[0]), world[1] - np.float32(SHADOW_OFFSET[1]))
        image *= (
            1 - self.config.shadow * self._cover(thing.to_material(shadow_at)[1], SHADOW_SOFTNESS)[..., None]
        )

        (mx, my), distance = thing.to_material(world)
        cover = self._cover(distance, pixel)
        q = np.hypot(mx, my)
        light = 0.62 + 0.5 * np.sqrt(np.maximum(1 - np.minimum(q, 1) ** 2, 0)) - 0.12 * my
        skin = self.star.sample(mx * np.float32(0.45), my * np.float32(0.45)) * light[..., None]
        image += (skin - image) * cover[..., None]

        (across, along), post, shade = self._post(phase)
        wood = self.wood.sample(across, along * np.float32(0.35)) * (1.15 * shade[..., None])
        image += (wood - image) * post[..., None]
        return image, cover * (1 - post) >= 0.5

    def flow(self, phase: float, following: float) -> FloatArray:
        """Motion of the visible points from one time to another, float32 (H, W, 2) in pixels."""
        view, after = camera(phase), camera(following)
        world = view.to_world(self.grid)
        target = np.stack(after.to_local(world))
        material, distance = star(phase).to_material(world)
        moved = np.stack(after.to_local(star(following).to_world(material)))
        target = np.where(distance >= 0, moved, target)
        near = camera(following, PARALLAX).to_local(camera(phase, PARALLAX).to_world(self.grid))
        target = np.where(self._post(phase)[1] >= 0.5, np.stack(near), target)
        flow: FloatArray = ((target - np.stack(self.grid)) * np.float32(self.density)).transpose(1, 2, 0)
        return np.ascontiguousarray(flow)
