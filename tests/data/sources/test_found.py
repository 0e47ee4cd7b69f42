"""What a source holds, by names only."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.data.sources.faults import Faults
from vsodtool.data.sources.found import (
    FoundVideo,
    folder_video,
    frame_names,
    looks_like_video,
    pair_masks,
    require_labels,
)
from vsodtool.errors import DataError
from vsodtool.media.video.inputs import VideoInput

FOLDER = folder_video("v", Path("v"), [Path(f"v/f{number}.jpg") for number in range(4)])
FILE = VideoInput("v", Path("v.mp4"), "file")


@given(st.integers(0, 10**6), st.integers(1, 50), st.integers(2, 20), st.sampled_from(["", "frame_", "a1_"]))
def test_numbers_that_rise_by_one_step_are_a_video(first: int, step: int, count: int, stem: str) -> None:
    names = [f"{stem}{first + step * number:08d}" for number in range(count)]
    assert looks_like_video(names)
    assert not looks_like_video(names[::-1])
    assert not looks_like_video([*names, f"{stem}{first + step * count + 1:08d}"])


@pytest.mark.parametrize("names", [[], ["00000"], ["a", "b"], ["f0", "g1"], ["0", "0"], ["cat 1", "dog 2"]])
def test_other_names_are_of_unrelated_images(names: list[str]) -> None:
    assert not looks_like_video(names)


def test_in_folders_masks_belong_to_the_frame_of_their_name() -> None:
    faults = Faults()
    masks = [Path(f"m/{name}") for name in ("f2.png", "f0.png", "f2.bmp", "f9.png")]
    names = frame_names(FOLDER)
    assert names == ["f0", "f1", "f2", "f3"]
    assert pair_masks(FOLDER, names, masks, faults) == {"f0": masks[1], "f2": masks[0]}
    with pytest.raises(
        DataError, match=r"second mask for a frame: m/f2\.bmp; mask without a frame: m/f9\.png"
    ):
        faults.raise_any("")


def test_in_video_files_to_the_frame_that_their_name_counts() -> None:
    faults = Faults()
    names = [f"{number:05d}" for number in range(3)]
    masks = [Path("m/00000.png"), Path("m/00002.png"), Path("m/00007.png")]
    assert pair_masks(FILE, names, masks, faults) == {"00000": masks[0], "00002": masks[1]}
    with pytest.raises(DataError, match=r"mask without a frame: m/00007\.png"):
        faults.raise_any("")


def test_a_source_without_a_label_is_refused() -> None:
    without = FoundVideo(FOLDER, ["f0"], {})
    require_labels([without, FoundVideo(FOLDER, ["f0"], {"f0": Path("m")})], "here")
    with pytest.raises(DataError, match="here: expected frames with masks, found none"):
        require_labels([without], "here")
