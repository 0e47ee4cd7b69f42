"""Masks as the page sees them: read, corrected, taken back, and nobody's work overwritten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.media.masks.mask_files import png
from tests.pipelines.reviewing.conftest import PALETTE, MakeOut, Out, Pixels
from vsodtool.errors import DataError, UsageError
from vsodtool.media.annotations.objects import ObjectInfo
from vsodtool.media.output.tables.frames_csv import read_frames_csv
from vsodtool.pipelines.reviewing.masks import MaskConflictError, UnusableCorrectionError, VideoMasks, etag_of


def masks_of(out: Out, *objects: ObjectInfo, drawn: bool = False) -> VideoMasks:
    rows = read_frames_csv(out.layout.frames_csv)
    return VideoMasks(out.layout, "clip", out.size, rows, objects, drawn=drawn)


def test_what_the_run_wrote_is_read_until_it_is_corrected(make_out: MakeOut) -> None:
    out = make_out()
    masks = masks_of(out)
    before = masks.read("00001")
    np.testing.assert_array_equal(before.ids, out.ids[1])
    assert (before.etag, before.corrected) == (etag_of(before.ids), False)
    drawn = before.ids.copy()
    drawn[20:, 20:] = 1
    etag = masks.save("00001", drawn, before.etag)
    after = masks.read("00001")
    np.testing.assert_array_equal(after.ids, drawn)
    assert (after.etag, after.corrected, masks.corrected("00001")) == (etag, True, True)
    assert masks.take_back("00001", etag).etag == before.etag
    assert not out.correction(1).exists()
    assert masks.take_back("00001", etag).etag == before.etag  # it was taken back before


def test_a_save_that_began_from_another_mask_is_refused(make_out: MakeOut) -> None:
    out = make_out()
    masks, others = masks_of(out), masks_of(out)
    began = masks.read("00001")
    theirs = np.zeros(out.size, np.uint16)
    now = others.save("00001", theirs, began.etag)
    with pytest.raises(MaskConflictError) as conflict:
        masks.save("00001", np.ones(out.size, np.uint16), began.etag)
    assert conflict.value.etag == now
    with pytest.raises(MaskConflictError):
        masks.take_back("00001", began.etag)
    np.testing.assert_array_equal(masks.read("00001").ids, theirs)
    assert masks.save("00001", theirs, began.etag) == now  # the same, sent again


def test_an_etag_is_of_the_ids_and_not_of_the_file() -> None:
    ids = np.array([[0, 1], [2, 300]], np.uint16)
    assert etag_of(ids) == etag_of(ids.astype(np.int64)) == etag_of(np.asfortranarray(ids))
    assert etag_of(ids) != etag_of(ids[::-1])


def test_wrong_sizes_and_unknown_ids_are_refused(make_out: MakeOut) -> None:
    out = make_out()
    masks = masks_of(out)
    etag = masks.read("00001").etag
    with pytest.raises(DataError, match="expected a mask of 32x24 like its frame, found 24x32"):
        masks.save("00001", np.zeros((32, 24), np.uint16), etag)
    with pytest.raises(DataError, match="expected the ids 1, found 9"):
        masks.save("00001", np.full(out.size, 9, np.uint16), etag)
    assert not out.layout.corrections.exists()


def test_a_new_object_has_the_next_id_and_a_name_of_its_own(make_out: MakeOut) -> None:
    masks = masks_of(make_out(objects=2), ObjectInfo(2, "cat", "cat"))
    new = masks.new("  a\x00 ball\n ")
    assert (new.id, new.name) == (3, "a ball")
    assert [info.id for info in masks.objects] == [1, 2]  # it is one once it is known
    masks.know([new])
    with pytest.raises(UsageError, match="expected a new name, found 'cat'"):
        masks.new("cat")
    assert masks.new("").name == "object 4"
    # Another server has added one meanwhile.
    assert masks.new("bird", [ObjectInfo(7, "fish", "fish")]).id == 8


def test_masks_of_one_object_have_no_room_for_another(make_out: MakeOut) -> None:
    masks = masks_of(make_out(encoding="binary"))
    assert "no room for another object" in masks.closed
    with pytest.raises(UsageError, match="no room for another object"):
        masks.new("ball")


def test_masks_that_are_drawn_here_have_room(make_out: MakeOut) -> None:
    masks = masks_of(make_out(encoding="binary"), drawn=True)
    assert masks.closed == ""
    assert masks.new("ball").id == 2


def test_nothing_is_written_through_a_link(
    make_out: MakeOut, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = make_out()
    masks = masks_of(out)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    out.layout.corrections.symlink_to(elsewhere)
    etag = masks.read("00001").etag
    with pytest.raises(DataError, match="expected a folder of the tool's own, found a link"):
        masks.save("00001", np.zeros(out.size, np.uint16), etag)
    assert list(elsewhere.iterdir()) == []


def in_colours(ids: Pixels) -> bytes:
    """As an editor saves it that makes RGB of a palette."""
    return png(np.frombuffer(PALETTE.colours, np.uint8).reshape(-1, 3)[ids])


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


NOISE = np.random.default_rng(1).integers(0, 4, (24, 32, 3), np.uint8) * 60
UNUSABLE = {"other colours": png(NOISE), "another size": png(NOISE[:5, :, 0]), "damaged": png(NOISE)[:90]}


def test_a_correction_in_the_colours_of_the_palette_is_read(make_out: MakeOut) -> None:
    out = make_out(objects=2)
    put(out.correction(1), in_colours(out.ids[5]))
    masks = masks_of(out)
    found = masks.read("00001")
    np.testing.assert_array_equal(found.ids, out.ids[5])
    assert found.corrected
    put(out.correction(2), in_colours(out.ids[6]))  # while the page is open
    np.testing.assert_array_equal(masks.read("00002").ids, out.ids[6])


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_correction_that_cannot_be_used_stops_its_own_frame_and_can_be_taken_back(
    make_out: MakeOut, kind: str
) -> None:
    out = make_out(objects=2)
    put(out.correction(1), UNUSABLE[kind])
    masks = masks_of(out)
    for place, name in enumerate(out.names):
        if place != 1:
            np.testing.assert_array_equal(masks.read(name).ids, out.ids[place])
    with pytest.raises(UnusableCorrectionError, match=r"corrections/clip/00001\.png") as refused:
        masks.read("00001")
    assert "Del takes it back" in refused.value.hint
    with pytest.raises(UnusableCorrectionError):
        masks.save("00001", out.ids[1].astype(np.uint16), etag_of(out.ids[1]))
    with pytest.raises(MaskConflictError):
        masks.take_back("00001", etag_of(out.ids[1]))
    assert out.correction(1).is_file()
    np.testing.assert_array_equal(masks.take_back("00001", refused.value.etag).ids, out.ids[1])
    assert not out.correction(1).exists()


def test_a_correction_that_was_mended_is_read(make_out: MakeOut) -> None:
    out = make_out(objects=2)
    put(out.correction(1), UNUSABLE["other colours"])
    masks = masks_of(out)
    put(out.correction(1), in_colours(out.ids[1]))
    np.testing.assert_array_equal(masks.read("00001").ids, out.ids[1])


def test_a_mask_of_the_run_that_somebody_spoilt_stops_its_own_frame(make_out: MakeOut) -> None:
    out = make_out(objects=2)
    put(out.layout.masks("clip", "00004"), UNUSABLE["other colours"])
    masks = masks_of(out)
    np.testing.assert_array_equal(masks.read("00003").ids, out.ids[3])
    with pytest.raises(DataError, match=r"masks/clip/00004\.png"):
        masks.read("00004")
