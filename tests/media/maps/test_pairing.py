"""Which prediction belongs to which truth, by names only."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.errors import DataError
from vsodtool.media.maps.pairing import Pairing, pair_maps
from vsodtool.media.maps.trees import MapTree


def tree(
    name: str, *, flat: bool = False, given: dict[str, frozenset[str]] | None = None, **videos: list[str]
) -> MapTree:
    """Videos with the stems of their frames; nothing of it is on the disk."""
    root = Path(name)
    files = {video: tuple(root / video / f"{stem}.png" for stem in stems) for video, stems in videos.items()}
    return MapTree(root, root, files, flat=flat, given=given or {})


def zero_based(count: int, start: int = 0) -> list[str]:
    return [f"{index:05d}" for index in range(start, start + count)]


def pairs(pairing: Pairing) -> dict[str, list[tuple[str, str | None]]]:
    return {
        video.name: [
            (frame.name, file.stem if (file := frame.predictions[0]) else None) for frame in video.frames
        ]
        for video in pairing.videos
    }


def refusal(truth: MapTree, *methods: MapTree, **allowed: bool) -> DataError:
    with pytest.raises(DataError) as caught:
        pair_maps(truth, methods, **allowed)
    return caught.value


def test_stems_pair_in_the_order_of_the_truth() -> None:
    found = pair_maps(tree("gt", b=["1", "2"], a=["x"]), [tree("p", a=["x"], b=["2", "1"])])
    assert pairs(found) == {"b": [("1", "1"), ("2", "2")], "a": [("x", "x")]}
    assert (found.notices, found.warnings) == ([], [])


def test_one_flat_folder_needs_no_name() -> None:
    for truth, own in (
        (tree("gt", flat=True, masks=["0"]), tree("p", flat=True, maps=["0"])),
        (tree("gt", flat=True, masks=["0"]), tree("p", camel=["0"])),
        (tree("gt", camel=["0"]), tree("p", flat=True, maps=["0"])),
    ):
        (video,) = pair_maps(truth, [own]).videos
        assert video.frames[0].predictions[0] is not None


def test_numbers_pair_where_no_stem_does() -> None:
    truth = tree("gt", flat=True, chair_masks=[f"frame_{index:06d}" for index in range(3)])
    found = pair_maps(truth, [tree("p", chair=zero_based(3))])
    assert pairs(found)["chair_masks"] == [(f"frame_00000{i}", f"0000{i}") for i in range(3)]
    assert "paired by number" in found.notices[0]


def test_a_hash_is_no_number() -> None:
    named = [f"0000{index}_png.rf.0a1b2c3d4e5f60718293a4b5c6d7e80{8 - index}_mask" for index in range(3)]
    truth = tree("gt", flat=True, chair=named)
    found = pair_maps(truth, [tree("p", chair=zero_based(3))])
    assert pairs(found)["chair"] == [(name, f"0000{index}") for index, name in enumerate(named)]


@given(st.integers(1, 30), st.integers(0, 20), st.integers(1, 5))
def test_shifted_numbers_are_named(count: int, start: int, shift: int) -> None:
    for difference, words in ((shift, f"subtract {shift}"), (-shift, f"add {shift}")):
        begin = start + shift
        error = refusal(
            tree("gt", a=zero_based(count, begin)), tree("p", a=zero_based(count, begin + difference))
        )
        assert f"predictions are numbered from {begin + difference}" in error.message
        assert f"from {begin}: {begin:05d} has no prediction" in error.message
        assert words in error.hint


def test_predictions_from_1_and_truth_from_0_are_told_also_if_both_are_allowed() -> None:
    truth, own = tree("gt", a=zero_based(4)), tree("p", a=zero_based(4, 1))
    assert refusal(truth, own, allow_missing=True).message == (
        "p/a: predictions are numbered from 1, the truth in gt/a from 0: 00000 has no prediction"
    )
    found = pair_maps(truth, [own], allow_missing=True, allow_extra=True)
    assert "predictions are numbered from 1, the truth in gt/a from 0" in found.warnings[0]


def test_no_video_in_common() -> None:
    error = refusal(
        tree("gt", a=["0"], b=["0"]), tree("p", c=["0"], d=["0"]), allow_missing=True, allow_extra=True
    )
    assert error.message == "p and gt have no video in common: expected 'a', 'b', found 'c', 'd'"
    flat = refusal(tree("gt", a=["0"], b=["0"]), tree("p", flat=True, x=["0"]))
    assert "expected 'a', 'b', found one folder of 1 maps" in flat.message


def test_missing_and_extra_videos() -> None:
    truth, own = tree("gt", a=["0"], b=["0"]), tree("p", a=["0"], c=["0"])
    missing = refusal(truth, own)
    assert "expected predictions for all 2 videos of gt, found none for 'b'" in missing.message
    assert "--allow-missing" in missing.hint
    extra = refusal(truth, own, allow_missing=True)
    assert "expected only videos of gt, found also 'c'" in extra.message
    assert "--allow-extra" in extra.hint
    found = pair_maps(truth, [own], allow_missing=True, allow_extra=True)
    assert (list(pairs(found)), found.missing_videos, found.extra_videos) == (["a"], ["b"], ["c"])
    assert found.warnings == [
        "p: 1 video without predictions left out: 'b'",
        "p: 1 video without truth ignored: 'c'",
    ]


def test_missing_and_extra_frames() -> None:
    truth, own = tree("gt", a=["0", "1", "2", "3", "4", "5"]), tree("p", a=["0", "9"])
    missing = refusal(truth, own)
    assert missing.message == (
        "p/a: expected a prediction for each of the 6 frames in gt/a, found none for '1', '2', '3' and 2 more"
    )
    assert "--allow-missing" in missing.hint
    extra = refusal(truth, own, allow_missing=True)
    assert "expected only the 6 frames that have a truth in gt/a, found also '9'" in extra.message
    found = pair_maps(truth, [own], allow_missing=True, allow_extra=True)
    assert [prediction for _, prediction in pairs(found)["a"]] == ["0", None, None, None, None, None]
    assert found.extra_frames == [1]
    assert len(found.warnings) == 2


def test_sparse_truth_and_dense_predictions_need_only_one_permission() -> None:
    found = pair_maps(tree("gt", a=["0", "5"]), [tree("p", a=zero_based(6))], allow_extra=True)
    assert pairs(found)["a"] == [("0", "00000"), ("5", "00005")]


def test_all_methods_are_scored_on_the_videos_that_all_have() -> None:
    truth = tree("gt", a=["0"], b=["0"])
    found = pair_maps(truth, [tree("p", a=["0"], b=["0"]), tree("q", b=["0"])], allow_missing=True)
    assert [video.name for video in found.videos] == ["b"]
    assert len(found.videos[0].frames[0].predictions) == 2


def test_given_frames_are_those_of_any_method_by_the_names_of_the_truth() -> None:
    truth = tree("gt", flat=True, chair_masks=["frame_0", "frame_1", "frame_2"])
    first = tree("p", given={"chair": frozenset({"00000"})}, chair=zero_based(3))
    second = tree("q", given={"chair": frozenset({"00002"})}, chair=zero_based(3))
    (video,) = pair_maps(truth, [first, second]).videos
    assert video.given == {"frame_0", "frame_2"}
