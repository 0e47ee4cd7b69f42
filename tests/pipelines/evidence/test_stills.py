from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.data.sources.training_data import DataSpec, load_training_data
from vsodtool.errors import DataError
from vsodtool.ops.labels.evidence_maps import IMAGE
from vsodtool.pipelines.evidence import stills as record_stills
from vsodtool.pipelines.evidence.store import store_evidence
from vsodtool.types import Event


@pytest.fixture
def stills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabelledVideo:
    """Four pictures of a bright disc over noise, as a set of still images."""
    monkeypatch.setattr(record_stills, "SIDE", 96)
    for number, name in enumerate(["cat", "dog", "fox", "owl"]):  # numbers would make them a video
        rng = np.random.default_rng(number)
        picture = cv2.GaussianBlur(rng.integers(0, 160, (96, 128, 3), dtype=np.uint8), (0, 0), 1.5)
        mask = np.zeros((96, 128), np.uint8)
        cv2.circle(mask, (50 + 8 * number, 48), 20, 255, -1)
        picture[mask > 0] += 90
        for folder, image in (("images", picture), ("masks", mask)):
            (tmp_path / "set" / folder).mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(tmp_path / "set" / folder / f"{name}.png"), image)
    spec = DataSpec(data=(str(tmp_path / "set"),), validation_share=0.25)
    (video,) = load_training_data(spec, cache=tmp_path / "cache").train
    assert video.stills
    return video


def test_images_are_set_in_motion_once_and_their_truth_is_known(
    stills: LabelledVideo, tmp_path: Path
) -> None:
    told: list[Event] = []
    files = store_evidence([stills], (4, 6), tmp_path / "evidence", told.append, still_seed=0)
    assert [event.message for event in told] == [f"recording {stills.name}: 3 images set in motion"]
    assert len(files) == 3 * record_stills.HIDDEN
    for file in files:
        assert sum(file.distances) in {4, 6}
        maps, hidden = np.load(file.maps), np.load(file.hidden)
        top, left = file.origin
        height, width = maps.shape[1:]
        np.testing.assert_array_equal(maps[:IMAGE], hidden[:3, top : top + height, left : left + width])
        assert set(np.unique(hidden[3])) == {0, 255}
        assert hidden.shape == np.load(file.before).shape == np.load(file.after).shape == (4, 96, 96)
        assert not np.array_equal(np.load(file.before), np.load(file.after))  # it moved
    assert store_evidence([stills], (4, 6), tmp_path / "evidence", told.append, still_seed=0) == files
    assert len(told) == 1
    assert store_evidence([stills], (4, 6), tmp_path / "evidence", told.append) == []


def test_a_damaged_index_is_named(stills: LabelledVideo, tmp_path: Path) -> None:
    files = store_evidence([stills], (4,), tmp_path / "evidence", lambda _: None, still_seed=0)
    (files[0].maps.parent.parent / "index.json").write_text(json.dumps([{"clip": 0}]))
    with pytest.raises(DataError, match="index of recorded evidence"):
        store_evidence([stills], (4,), tmp_path / "evidence", lambda _: None, still_seed=0)


def _clip(rows: slice, columns: slice, grey: int) -> record_stills._Clip:
    """Three frames of a square in front of nothing."""
    labels = torch.zeros(3, 1, 32, 32)
    labels[..., rows, columns] = 1
    return record_stills._Clip((labels * grey).to(torch.uint8).expand(-1, 3, -1, -1), labels)


@pytest.mark.parametrize("seed", range(12))
def test_a_second_thing_hides_the_object_or_is_hidden_by_it(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_stills, "SIDE", 32)
    own, other = _clip(slice(8, 24), slice(8, 24), 100), _clip(slice(10, 22), slice(10, 22), 200)
    mixed = record_stills._accompanied(own, other, np.random.default_rng(seed))
    colours = {0: 0.0, 100: 1.0, 200: 0.0}  # of nothing, the object, the other thing
    shown = mixed.images[:, :1]
    assert set(shown.unique().tolist()) <= set(colours)
    for colour, label in colours.items():
        assert (mixed.labels[shown == colour] == label).all()
    seen = mixed.labels.sum((1, 2, 3)) / own.labels.sum((1, 2, 3))
    assert ((seen >= 0.4) & (seen <= 1)).all()


def test_what_would_be_hidden_stays_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_stills, "SIDE", 32)
    own, other = _clip(slice(8, 24), slice(8, 24), 100), _clip(slice(0, 32), slice(0, 32), 200)
    mixed = [record_stills._accompanied(own, other, np.random.default_rng(seed)) for seed in range(8)]
    assert any(each is own for each in mixed)
    assert all(each.labels.sum() >= 0.4 * own.labels.sum() for each in mixed)


@pytest.mark.parametrize("away", [(0, 0), (3, -5), (-4, 2), (40, 0)])
def test_things_are_moved_by_whole_pixels(away: tuple[int, int]) -> None:
    picture = torch.zeros(1, 1, 40, 40)
    picture[..., 20:24, 10:16] = 1
    moved = record_stills._shifted(picture, away)
    down, right = away
    expected = torch.zeros_like(picture)
    if 0 <= 20 + down < 40:
        expected[..., 20 + down : 24 + down, 10 + right : 16 + right] = 1
    assert torch.equal(moved, expected)
