"""`run_pseudolabel` on a video of several shots: each is as if it were a video by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.scenes import scene
from vsodtool.config import PseudoLabelConfig
from vsodtool.errors import DataError, UsageError
from vsodtool.media.output.tables.frames_csv import read_frames_csv
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.types import Event, FrameRecord, FrameStatus, ImageArray

COUNT = 14  # frames of each shot; the second one has no mask
GIVEN = (0, 6, 28, 36)


def write(folder: Path, frames: Sequence[ImageArray], labelled: Sequence[int]) -> None:
    """Frames, and masks of a square in the middle of some."""
    (folder / "clip").mkdir(parents=True)
    (folder / "masks").mkdir()
    for index, frame in enumerate(frames):
        assert cv2.imwrite(str(folder / "clip" / f"{index:05d}.png"), frame[..., ::-1])
    mask = np.zeros(frames[0].shape[:2], np.uint8)
    mask[20:50, 40:80] = 255
    for index in labelled:
        assert cv2.imwrite(str(folder / "masks" / f"{index:05d}.png"), mask)


def run(folder: Path, heard: list[Event] | None = None, **options: Any) -> list[FrameRecord]:
    given = {"method": "warp", "workers": 2, "output": folder / "out", "device": "cpu", **options}
    config = PseudoLabelConfig(inputs=(str(folder / "clip"),), masks=(str(folder / "masks"),), **given)
    run_pseudolabel(config, on_event=(heard if heard is not None else []).append)
    return list(read_frames_csv(config.output / "frames.csv"))


def masks(out: Path, first: int = 0, count: int = 3 * COUNT) -> list[bytes]:
    return [(out / "masks" / "clip" / f"{first + at:05d}.png").read_bytes() for at in range(count)]


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shots, and what a run makes of them."""
    folder = tmp_path_factory.mktemp("joined")
    write(folder, [frame for seed in (1, 2, 3) for frame in scene(seed, COUNT)], GIVEN)
    run(folder, soft=True, confidence=True)
    return folder


@pytest.mark.parametrize(("seed", "first"), [(1, 0), (3, 2 * COUNT)])
def test_a_shot_is_as_if_it_were_alone(tmp_path: Path, joined: Path, seed: int, first: int) -> None:
    own = [index - first for index in GIVEN if first <= index < first + COUNT]
    write(tmp_path, scene(seed, COUNT), own)
    alone = run(tmp_path)
    assert masks(tmp_path / "out", count=COUNT) == masks(joined / "out", first, COUNT)
    records = list(read_frames_csv(joined / "out" / "frames.csv"))[first : first + COUNT]
    assert [each.confidence for each in records] == [each.confidence for each in alone]
    for record, like in zip(records, alone, strict=True):
        for name, expected in ((record.left, like.left), (record.right, like.right)):
            assert name == (f"{int(expected) + first:05d}" if expected else "")


def test_a_shot_without_masks_is_empty_and_doubted(joined: Path) -> None:
    records = list(read_frames_csv(joined / "out" / "frames.csv"))[COUNT : 2 * COUNT]
    for record in records:
        assert (record.status, record.left, record.right) == (FrameStatus.GENERATED, "", "")
        assert record.confidence <= 0.3
        parts = [
            cv2.imread(str(joined / "out" / kind / "clip" / f"{record.frame}.png"), cv2.IMREAD_UNCHANGED)
            for kind in ("masks", "soft", "confidence")
        ]
        assert parts[0].shape == parts[1].shape == parts[2].shape == (72, 128)
        assert not parts[0].any()
        assert not parts[1].any()
        assert parts[2].max() <= 0.3 * 255 + 0.5


def test_cuts_are_kept_and_told(tmp_path: Path, joined: Path) -> None:
    manifest = json.loads((joined / "out" / "manifest.json").read_text())
    assert manifest["cuts"] == {"clip": [COUNT, 2 * COUNT]}
    heard: list[Event] = []
    run(joined, heard, output=tmp_path / "out")
    told = [each.message for each in heard if "shot" in each.message]
    assert told == [
        "clip: 3 shots, cut at 00014, 00028",
        "clip: no mask in the shot of frames 00014 to 00027: its labels are empty; "
        "mask a frame of it, or say by an all-zero mask that nothing is there",
    ]
    before = masks(tmp_path / "out")
    (tmp_path / "out" / "masks" / "clip" / "00005.png").unlink()
    run(joined, output=tmp_path / "out")
    assert masks(tmp_path / "out") == before == masks(joined / "out")


def test_a_list_of_cuts_does_as_well(tmp_path: Path, joined: Path) -> None:
    (tmp_path / "cuts.txt").write_text("clip 00014\n28\n")
    run(joined, output=tmp_path / "out", cuts=str(tmp_path / "cuts.txt"))
    assert masks(tmp_path / "out") == masks(joined / "out")
    (tmp_path / "cuts.txt").write_text("14\n")
    with pytest.raises(UsageError, match="option --cuts changed"):
        run(joined, output=tmp_path / "out", cuts=str(tmp_path / "cuts.txt"))
    (tmp_path / "cuts.txt").write_text("\n99\n")
    with pytest.raises(DataError, match="line 2: expected a frame of 'clip', found '99'"):
        run(joined, output=tmp_path / "out", cuts=str(tmp_path / "cuts.txt"), overwrite=True)


def test_without_cuts_labels_are_carried_on(tmp_path: Path, joined: Path) -> None:
    records = run(joined, output=tmp_path / "out", cuts="none")
    assert [(each.left, each.right) for each in records[COUNT : COUNT + 2]] == [("00006", "00028")] * 2
    assert masks(tmp_path / "out", COUNT, COUNT) != masks(joined / "out", COUNT, COUNT)
    with pytest.raises(UsageError, match="option --cuts changed"):
        run(joined, output=tmp_path / "out")


def test_an_update_makes_the_shot_again_and_no_other(tmp_path: Path) -> None:
    write(tmp_path, [frame for seed in (1, 2, 3) for frame in scene(seed, COUNT)], GIVEN)
    run(tmp_path)
    (tmp_path / "masks" / "00020.png").write_bytes((tmp_path / "masks" / "00000.png").read_bytes())
    heard: list[Event] = []
    records = run(tmp_path, heard, update=True)
    assert "clip: 13 frames in 2 intervals to make again" in [each.message for each in heard]
    assert [(each.left, each.right) for each in records[COUNT : COUNT + 8 : 7]] == [
        ("", "00020"),
        ("00020", ""),
    ]
    run(tmp_path, output=tmp_path / "fresh")
    assert masks(tmp_path / "out") == masks(tmp_path / "fresh")
