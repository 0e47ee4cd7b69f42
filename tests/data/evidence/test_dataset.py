"""Squares of evidence that was recorded of a square that does not move."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vsodtool.data.augmentation import AUGMENTATION, NO_AUGMENTATION
from vsodtool.data.batches import EvidenceBatch, collate_evidence
from vsodtool.data.evidence.dataset import EvidenceDataset
from vsodtool.data.evidence.files import EvidenceFile
from vsodtool.errors import ConfigError, DataError
from vsodtool.ops.labels.evidence_maps import GUESS, IMAGE, LEFT, MAPS, RIGHT

SIZE = 32
ORIGIN = (8, 16)  # of the box in frames of 64 x 96


@pytest.fixture
def file(tmp_path: Path) -> EvidenceFile:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (3, 4, 64, 96), dtype=np.uint8)
    frames[:, 3] = 0
    frames[:, 3, 24:44, 40:60] = 255
    for name, frame in zip(("before", "hidden", "after"), frames, strict=True):
        np.save(tmp_path / f"{name}.npy", frame)
    maps = rng.integers(0, 256, (MAPS, 48, 60), dtype=np.uint8)
    hidden = frames[1, :, ORIGIN[0] : ORIGIN[0] + 48, ORIGIN[1] : ORIGIN[1] + 60]
    maps[:IMAGE], maps[GUESS] = hidden[:3], np.clip(hidden[3], 15, 240)  # all of it in doubt
    np.save(tmp_path / "maps.npy", maps)
    paths = [tmp_path / f"{name}.npy" for name in ("before", "hidden", "after")]
    return EvidenceFile(
        video="v",
        name="00002",
        maps=tmp_path / "maps.npy",
        origin=ORIGIN,
        before=paths[0],
        hidden=paths[1],
        after=paths[2],
        distances=(2, 5),
    )


def test_maps_are_resized_a_few_at_a_time_as_if_all_at_once(file: EvidenceFile) -> None:
    maps = torch.from_numpy(np.load(file.maps))
    found = EvidenceDataset([file], size=SIZE)._resize(maps)
    whole = torch.nn.functional.interpolate(maps[None], (SIZE, SIZE), mode="bilinear", align_corners=False)[0]
    assert int((found.int() - whole.int()).abs().max()) <= 1  # torch has several ways, by channels and CPU


def test_a_validation_square_lies_around_the_object_and_is_unchanged(file: EvidenceFile) -> None:
    sample = EvidenceDataset([file], size=SIZE)[0]
    top, left = 33 - 16, 49 - 16  # the pixel before the middle of the object, half a square
    recorded = torch.from_numpy(np.load(file.maps))
    rows, columns = top - ORIGIN[0], left - ORIGIN[1]
    assert torch.equal(sample.maps[0], recorded[:, rows : rows + SIZE, columns : columns + SIZE])
    known = torch.from_numpy(np.load(file.after))[:, top : top + SIZE, left : left + SIZE]
    assert torch.equal(sample.images[0, 1], known[:3])
    torch.testing.assert_close(sample.labels[0, 1], known[3:].float() / 255)
    torch.testing.assert_close(sample.truth[0], known[3:].float() / 255)  # the object does not move
    assert float(sample.weights.min()) == 1
    assert sample.distances.tolist() == [[2.0, 5.0]]
    assert (sample.videos, sample.names) == (("v",), ("00002",))
    assert sample.positions.shape == (1, 2, SIZE // 8, SIZE // 8)
    # The object is where it was: its cells have the same positions in every frame.
    torch.testing.assert_close(sample.positions, sample.known_positions[:, 0], atol=0.05, rtol=0)


def test_outside_the_box_nothing_is_learned(file: EvidenceFile) -> None:
    sample = EvidenceDataset([file], size=64)[0]
    inside = sample.weights[0, 0] == 1
    assert int(inside.sum()) == 48 * 60
    assert set(sample.weights.unique().tolist()) == {0.0, 1.0}


def test_a_sample_is_a_function_of_seed_epoch_and_index(file: EvidenceFile) -> None:
    data = EvidenceDataset([file], size=SIZE, seed=3, augmentation=AUGMENTATION)
    first, again, other = data[(4, 0)], data[(4, 0)], data[(5, 0)]
    assert torch.equal(first.maps, again.maps)
    assert torch.equal(first.known_positions, again.known_positions)
    assert not torch.equal(first.maps, other.maps)


def test_flips_keep_everything_in_its_place(file: EvidenceFile) -> None:
    plain = NO_AUGMENTATION
    mirrored = AUGMENTATION.__class__(flip=1, reverse=1, scale=(1, 1), aspect=1, colour=0, blur=0)
    # The same chance but for the flip itself: both draw as many numbers.
    here = EvidenceDataset([file], size=SIZE, augmentation=plain)[(0, 0)]
    there = EvidenceDataset([file], size=SIZE, augmentation=mirrored)[(0, 0)]
    for name in ("truth", "weights", "positions"):
        torch.testing.assert_close(getattr(there, name), getattr(here, name).flip(-1))
    assert torch.equal(there.maps[:, LEFT], here.maps[:, RIGHT].flip(-1))
    assert torch.equal(there.images, here.images.flip(1).flip(-1))
    assert there.distances.tolist() == [here.distances.flip(1)[0].tolist()]


def test_one_sided_samples_occur_and_are_whole(file: EvidenceFile) -> None:
    data = EvidenceDataset([file], size=SIZE, augmentation=NO_AUGMENTATION)
    samples = [data[(epoch, 0)] for epoch in range(60)]
    one_sided = [part for part in samples if part.distances[0, 0] == part.distances[0, 1]]
    assert 1 <= len(one_sided) <= 20
    for sample in one_sided:
        assert torch.equal(sample.maps[:, LEFT], sample.maps[:, RIGHT])
        assert torch.equal(sample.images[:, 0], sample.images[:, 1])


def test_batches_are_samples_side_by_side(file: EvidenceFile) -> None:
    data = EvidenceDataset([file], size=SIZE)
    batch = collate_evidence([data[0], data[0]])
    assert isinstance(batch, EvidenceBatch)
    assert batch.maps.shape == (2, MAPS, SIZE, SIZE)
    assert batch.videos == ("v", "v")
    assert torch.equal(batch.to("cpu").truth, batch.truth)


def test_nothing_recorded_and_odd_sizes_are_refused(file: EvidenceFile) -> None:
    with pytest.raises(DataError, match="found none"):
        EvidenceDataset([], size=SIZE)
    with pytest.raises(ConfigError, match="multiple of 8"):
        EvidenceDataset([file], size=36)


def test_a_damaged_recording_is_named(file: EvidenceFile) -> None:
    file.maps.write_bytes(b"no array")
    with pytest.raises(DataError, match=str(file.maps)):
        EvidenceDataset([file], size=SIZE)[0]


def test_files_that_do_not_belong_together_are_refused(file: EvidenceFile) -> None:
    for changed, values in (
        (file.after, np.zeros((4, 32, 96), np.uint8)),
        (file.maps, np.zeros((MAPS, 57, 60), np.uint8)),
    ):
        before = changed.read_bytes()
        np.save(changed, values)
        with pytest.raises(DataError, match=r"expected evidence about a frame of .*, found other sizes"):
            EvidenceDataset([file], size=SIZE)[0]
        changed.write_bytes(before)
    assert len(EvidenceDataset([file], size=SIZE)[0].maps) == 1
