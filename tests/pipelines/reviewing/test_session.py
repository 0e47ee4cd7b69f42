"""A session of the review page: what it opens, and what it does after it could not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.pipelines.reviewing.conftest import PALETTE, MakeOut
from vsodtool.errors import DataError
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.output.manifest import read_manifest, write_manifest
from vsodtool.media.output.tables.frames_csv import read_frames_csv, write_frames_csv
from vsodtool.pipelines.reviewing.folder import open_folder
from vsodtool.pipelines.reviewing.session import Session


def test_a_video_that_could_not_be_opened_says_so_again_and_opens_once_it_is_mended(
    make_out: MakeOut,
) -> None:
    out = make_out()
    path = out.layout.masks("clip", "00000")
    good = path.read_bytes()
    path.write_bytes(b"no picture")
    with Session(open_folder(out.root), read_only=True) as session:
        for _ in range(2):  # the first time while the browser starts
            with pytest.raises(DataError, match=r"00000\.png"):
                session.video(0)
        path.write_bytes(good)
        assert session.video(0).size == out.size


def test_a_correction_that_is_stored_otherwise_is_shown(make_out: MakeOut) -> None:
    out = make_out(encoding="binary")
    ids = (out.ids[2] > 0).astype(np.uint8)
    ids[:2, :2] = 1
    out.correction(2).parent.mkdir(parents=True)
    out.correction(2).write_bytes(encode_plane_png(ids, PALETTE))
    with Session(open_folder(out.root), read_only=True) as session:
        found = session.video(0).masks.read(out.names[2])
        assert found.corrected
        np.testing.assert_array_equal(found.ids, ids)


def test_a_correction_in_a_way_that_nobody_knew_is_not_shown_as_nothing(make_out: MakeOut) -> None:
    out = make_out(encoding="binary")
    with Session(open_folder(out.root), read_only=True) as session:
        masks = session.video(0).masks
        out.correction(2).parent.mkdir(parents=True)
        out.correction(2).write_bytes(encode_plane_png(out.ids[2], PALETTE))
        with pytest.raises(DataError, match="expected a mask stored as 0/255 grey, found another"):
            masks.read(out.names[2])
    with Session(open_folder(out.root), read_only=True) as session:
        np.testing.assert_array_equal(session.video(0).masks.read(out.names[2]).ids, out.ids[2])


def test_void_is_what_the_run_was_told(make_out: MakeOut) -> None:
    out = make_out(objects=2)
    manifest = read_manifest(out.layout.manifest)
    assert manifest is not None
    write_manifest(out.layout.manifest, replace(manifest, config={**manifest.config, "void": "2"}))
    with Session(open_folder(out.root), read_only=True) as session:
        masks = session.video(0).masks
        assert [info.id for info in masks.objects] == [1]
        np.testing.assert_array_equal(masks.read(out.names[0]).ids, out.ids[0] * (out.ids[0] == 1))


def test_labels_of_other_frames_that_another_run_wrote_are_told(make_out: MakeOut) -> None:
    out = make_out()
    with Session(open_folder(out.root)) as session:
        session.state()
        rows = read_frames_csv(out.layout.frames_csv)
        write_frames_csv(out.layout.frames_csv, [replace(row, video="another") for row in rows])
        with pytest.raises(DataError, match="expected the frames of 'clip'"):
            session.state()


def test_a_correction_that_cannot_be_read_closes_its_frame_only(make_out: MakeOut) -> None:
    out = make_out()
    out.correction(2).parent.mkdir(parents=True)
    out.correction(2).write_bytes(b"no picture")
    with Session(open_folder(out.root)) as session:
        masks = session.video(0).masks
        np.testing.assert_array_equal(masks.read("00001").ids, out.ids[1])
        with pytest.raises(DataError, match="00002"):
            masks.read("00002")
