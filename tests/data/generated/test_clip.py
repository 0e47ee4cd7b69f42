"""The generated clip: the same every time, and its truth is true."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from vsodtool.data.generated.clip import ClipConfig, GeneratedClip, generate_clip
from vsodtool.data.generated.texture import noise
from vsodtool.errors import ConfigError

SMALL = ClipConfig(frames=13, height=120, width=212)


@pytest.fixture(scope="module")
def clip() -> GeneratedClip:
    return generate_clip(SMALL)


def test_has_the_shapes_that_were_asked_for(clip: GeneratedClip) -> None:
    assert clip.names[:2] == ["00000", "00001"]
    assert len(clip.names) == len(clip.frames) == len(clip.masks) == 13
    assert clip.flows == []
    assert {(frame.shape, frame.dtype) for frame in clip.frames} == {((120, 212, 3), np.dtype(np.uint8))}
    assert {(mask.shape, mask.dtype) for mask in clip.masks} == {((120, 212), np.dtype(bool))}


def test_the_same_config_gives_the_same_pixels(clip: GeneratedClip) -> None:
    again, other = generate_clip(SMALL), generate_clip(ClipConfig(frames=13, height=120, width=212, seed=1))
    assert all(np.array_equal(a, b) for a, b in zip(clip.frames, again.frames, strict=True))
    assert not np.array_equal(clip.frames[0], other.frames[0])
    assert np.array_equal(clip.masks[5], other.masks[5])


def test_the_star_moves_changes_and_is_hidden_in_part(clip: GeneratedClip) -> None:
    areas = np.array([mask.sum() for mask in clip.masks])
    centres = [np.argwhere(mask).mean(axis=0)[1] for mask in clip.masks]
    assert areas.min() > 0.05 * 120 * 212
    assert centres[-1] - centres[0] > 0.3 * 212
    split = [mask.any(axis=0) for mask in clip.masks]
    middle = clip.masks[6]
    assert areas[6] < areas[-1]
    assert middle[:, split[6].argmax() :].any()
    # the post leaves a gap inside some row of the star
    row = middle[np.argwhere(middle).mean(axis=0).astype(int)[0]].astype(int)
    assert np.count_nonzero(np.diff(row) == 1) == 2


def sample(
    image: npt.NDArray[np.float64], x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Bilinear, positions inside the image."""
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = (x - x0)[..., None], (y - y0)[..., None]
    top = image[y0, x0] * (1 - fx) + image[y0, x0 + 1] * fx
    return top * (1 - fy) + (image[y0 + 1, x0] * (1 - fx) + image[y0 + 1, x0 + 1] * fx) * fy


def test_flow_leads_to_the_same_colours_and_the_same_label() -> None:
    clean = generate_clip(ClipConfig(frames=25, height=120, width=212, noise=0, shadow=0, flow=True))
    assert len(clean.flows) == 24
    for index in (0, 12, 23):
        ys, xs = np.mgrid[:120, :212].astype(float)
        tx, ty = xs + clean.flows[index][..., 0], ys + clean.flows[index][..., 1]
        inside = (tx >= 0) & (ty >= 0) & (tx < 211) & (ty < 119)
        tx, ty = np.where(inside, tx, 0), np.where(inside, ty, 0)
        reached = sample(clean.frames[index + 1].astype(float), tx, ty)
        difference = np.abs(reached - clean.frames[index]).mean(axis=-1)
        same = difference < 12
        assert same[inside].mean() > 0.93  # the rest is occlusion and blended borders
        label = sample(clean.masks[index + 1][..., None].astype(float), tx, ty)[..., 0] > 0.5
        stays = inside & same  # what is still visible in the next frame
        assert (label == clean.masks[index])[stays].mean() > 0.99
        assert np.abs(clean.flows[index]).max() > 2


def test_scenes_look_alike_at_every_size() -> None:
    large, small = (
        noise(np.random.default_rng(4), (128, 256), (4, 8), 3, 0.7),
        noise(np.random.default_rng(4), (64, 128), (4, 8), 3, 0.7),
    )
    assert np.abs(large[::2, ::2] - small).max() < 0.02


def test_small_and_short_clips_work() -> None:
    tiny = generate_clip(ClipConfig(frames=1, height=16, width=16, flow=True))
    assert len(tiny.frames) == 1
    assert tiny.flows == []


@pytest.mark.parametrize(
    ("config", "found"),
    [
        (ClipConfig(frames=0), "frames must be at least 1, found 0"),
        (ClipConfig(height=15), "height must be at least 16, found 15"),
        (ClipConfig(noise=-1), "noise"),
        (ClipConfig(shadow=2), "shadow"),
    ],
)
def test_refuses_impossible_configs(config: ClipConfig, found: str) -> None:
    with pytest.raises(ConfigError, match=found):
        generate_clip(config)
