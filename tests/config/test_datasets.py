from __future__ import annotations

import pytest

from vsodtool.config.datasets import VIDEO, find_dataset, load_datasets
from vsodtool.errors import ConfigError


def test_every_dataset_that_the_paper_uses_is_there() -> None:
    assert list(load_datasets()) == ["davis2016", "fbms", "segtrackv2", "vos", "msra-b", "hku-is"]


@pytest.mark.parametrize("name", list(load_datasets()))
def test_a_layout_is_complete(name: str) -> None:
    layout = find_dataset(name)
    assert layout.split_names
    assert layout.url.startswith("http")
    for pattern in (layout.frames, layout.masks):
        assert (VIDEO in pattern) != layout.stills
    for videos in layout.splits.values():
        assert len(set(videos)) == len(videos)


def test_the_numbers_of_videos_are_the_published_ones() -> None:
    def sizes(name: str) -> dict[str, int]:
        return {split: len(videos) for split, videos in find_dataset(name).splits.items()}

    assert sizes("davis2016") == {"train": 30, "val": 20, "train-rcrnet": 29}
    assert sizes("fbms") == {"train": 29, "test": 30}
    assert sizes("segtrackv2") == {"trainval": 7}
    vos = sizes("vos")
    assert (vos["train"], vos["val"], vos["test"]) == (119, 40, 40)
    assert (vos["easy"], vos["normal"]) == (96, 103)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("davis2016", ["train", "val"]),
        ("fbms", ["train", "test"]),
        ("vos", ["train", "val", "test"]),
        ("vos", ["easy", "normal"]),
        ("vos", ["easy-train", "easy-val", "easy-test"]),
    ],
)
def test_splits_do_not_overlap(name: str, parts: list[str]) -> None:
    videos = [video for part in parts for video in find_dataset(name).splits[part]]
    assert len(set(videos)) == len(videos)


def test_easy_and_normal_make_up_the_splits_of_vos() -> None:
    splits = find_dataset("vos").splits
    for part in ("train", "val", "test"):
        assert set(splits[part]) == set(splits[f"easy-{part}"]) | set(splits[f"normal-{part}"])


def test_unknown_names() -> None:
    with pytest.raises(ConfigError, match="unknown dataset 'davis2017'") as refused:
        find_dataset("davis2017")
    assert "davis2016" in refused.value.hint
    with pytest.raises(ConfigError, match="davis2016: no split 'test'") as refused:
        find_dataset("davis2016").check_split("test")
    assert "train, val" in refused.value.hint
    assert find_dataset("davis2016").check_split("") == "train"
