"""The requests of the page: what comes back, and what is refused."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.pipelines.reviewing.conftest import PALETTE, Connect, MakeOut
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.output.lock import OutputLock
from vsodtool.media.output.manifest import UPDATING, read_manifest, write_manifest
from vsodtool.media.output.tables.frames_csv import write_frames_csv
from vsodtool.pipelines.reviewing.app import page_files, unpack_ids
from vsodtool.pipelines.reviewing.notes import Notes


def test_the_page_and_its_parts_are_served(make_out: MakeOut, connect: Connect) -> None:
    client = connect(make_out())
    index = client.get("/")
    assert index.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>vsodtool review</title>" in index.text
    assert {"app.js", "app.css", "index.html", "ids.js"} <= set(page_files())
    for name in page_files():
        assert client.get(f"/{name}").status_code == 200
    assert client.get("/app.js").headers["content-type"].startswith("text/javascript")
    for path in ("/nothing.js", "/../app.py", "/%2e%2e/app.py", "/page/app.js", "/__init__.py"):
        assert client.get(path).status_code == 404


def test_the_page_comes_packed_to_who_unpacks_it(make_out: MakeOut, connect: Connect) -> None:
    client = connect(make_out())
    packed, plain = client.get("/app.js"), client.get("/app.js", **{"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2


def test_the_page_keeps_to_its_own_policy(make_out: MakeOut, connect: Connect) -> None:
    client = connect(make_out())
    index = client.get("/").text
    assert " style=" not in index
    assert " onclick=" not in index
    assert "<script>" not in index
    scripts = [client.get(f"/{name}").text for name in page_files() if name.endswith(".js")]
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert not [text for text in scripts if word in text]


def test_the_state_tells_every_frame(make_out: MakeOut, connect: Connect) -> None:
    out = make_out(count=7)
    state = connect(out).get("/api/state").json()
    (video,) = state["videos"]
    assert (state["command"], state["readOnly"], state["canRerun"]) == ("pseudolabel", "", False)
    assert (video["name"], video["method"], video["corrected"], video["flags"]) == ("clip", "warp", [], {})
    assert video["frames"][0] == ["00000", 0, 1.0, 0, 0]
    assert video["frames"][1] == ["00001", 1, 0.83, 0, 4]
    assert video["frames"][6] == ["00006", 1, 0.76, 4, -1]


def test_what_the_page_asks_for_first_is_read_before(make_out: MakeOut, connect: Connect) -> None:
    out, asked = make_out(), list[int]()

    def suggest() -> dict[str, list[int]]:
        asked.append(1)
        return {}

    client = connect(out, suggest=suggest)
    client.session.prepare()
    assert client.get("/api/state").status_code == 200
    assert asked == [1]
    out.layout.frames_csv.write_text("damaged")
    client.session.prepare()  # what is wrong is told to who asks
    assert client.get("/api/state").status_code != 200


def test_the_state_tells_what_to_label_next(make_out: MakeOut, connect: Connect) -> None:
    asked: list[int] = []

    def suggest() -> dict[str, list[int]]:
        asked.append(1)
        return {"clip": [6, 1]}

    out = make_out()
    client = connect(out, suggest=suggest)

    def suggested() -> list[int]:
        return client.get("/api/state").json()["videos"][0]["suggested"]

    assert suggested() == [1, 6]
    ids, etag = client.mask(1)
    assert client.put_mask(ids * 0, etag).status_code == 200
    assert suggested() == [6]  # what is corrected is labelled
    assert len(asked) == 1  # the labels of the run are as they were
    write_frames_csv(out.layout.frames_csv, client.session.folder.rows()["clip"])
    assert suggested() == [6]
    assert len(asked) == 2
    manifest = read_manifest(out.layout.manifest)
    assert manifest is not None
    write_manifest(out.layout.manifest, replace(manifest, status=UPDATING))
    assert suggested() == []  # labels are being made again


def test_a_video_tells_its_size_and_objects(make_out: MakeOut, connect: Connect) -> None:
    told = connect(make_out(objects=2)).get("/api/v/0").json()
    assert (told["height"], told["width"], told["fps"], told["closed"]) == (24, 32, 24.0, "")
    assert [each["id"] for each in told["objects"]] == [1, 2]
    assert len({each["color"] for each in told["objects"]}) == 2


@pytest.mark.parametrize(
    "path", ["v/1", "v/0/mask/9", "v/0/frame/99", "v/7/mask/0", "v/0/confidence/9", "v/0/x/1"]
)
def test_numbers_out_of_range_are_not_found(path: str, make_out: MakeOut, connect: Connect) -> None:
    assert connect(make_out()).get(f"/api/{path}").status_code == 404


@pytest.mark.parametrize(
    "path", ["v/-1", "v/0/mask/-1", "v/0/mask/00001.png", "v/clip/mask/1", "v/0/", "v/0/mask/1e0"]
)
def test_only_numbers_make_paths(path: str, make_out: MakeOut, connect: Connect) -> None:
    assert connect(make_out()).get(f"/api/{path}").status_code == 404


def test_frames_come_as_they_lie_there(make_out: MakeOut, connect: Connect, tmp_path: Path) -> None:
    client = connect(make_out())
    answer = client.get("/api/v/0/frame/3")
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == (tmp_path / "clip" / "00003.png").read_bytes()
    small = client.get("/api/v/0/frame/3?max=16")
    assert small.headers["content-type"] == "image/jpeg"
    assert cv2.imdecode(np.frombuffer(small.content, np.uint8), 1).shape == (12, 16, 3)
    for wrong in ("15", "4097", "-1", "x", "²"):
        assert client.get(f"/api/v/0/frame/3?max={wrong}").status_code == 400


def test_masks_come_as_ids(make_out: MakeOut, connect: Connect) -> None:
    out = make_out(objects=2)
    client = connect(out)
    for frame in range(9):
        ids, etag = client.mask(frame)
        np.testing.assert_array_equal(ids, out.ids[frame])
        assert len(etag) == 64
    assert client.mask(1)[1] != client.mask(2)[1]


def test_a_saved_mask_is_a_correction_in_the_encoding_of_the_set(make_out: MakeOut, connect: Connect) -> None:
    out = make_out(objects=2)
    client = connect(out)
    ids, etag = client.mask(1)
    drawn = ids.copy()
    drawn[20:24, 20:30] = 2
    answer = client.put_mask(drawn, etag)
    assert answer.status_code == 200
    path = out.correction(1)
    raw = read_raw_mask(path)
    assert raw.container == "palette"
    np.testing.assert_array_equal(raw.values, drawn)
    assert raw.palette == read_raw_mask(out.layout.masks("clip", "00000")).palette
    read, new = client.mask(1)
    np.testing.assert_array_equal(read, drawn)
    assert new == answer.json()["etag"] != etag
    assert client.get("/api/state").json()["videos"][0]["corrected"] == [1]
    np.testing.assert_array_equal(read_raw_mask(out.layout.masks("clip", "00001")).values, ids)


def test_void_that_nobody_drew_on_stays(make_out: MakeOut, connect: Connect) -> None:
    out = make_out()
    for index in out.given:
        plane = out.ids[index].copy()
        plane[out.size[0] - 3 :] = 255  # as VOC and DAVIS say it
        out.layout.masks("clip", out.names[index]).write_bytes(encode_plane_png(plane, PALETTE))
    client = connect(out)
    ids, etag = client.mask(4)
    assert set(np.unique(ids)) == {0, 1}
    drawn = ids.copy()
    drawn[-2:, :5] = 1
    answer = client.put_mask(drawn, etag, "/api/v/0/mask/4")
    assert answer.status_code == 200
    there = read_raw_mask(out.correction(4)).values
    expected = out.ids[4].copy()
    expected[-3:] = 255
    expected[-2:, :5] = 1
    np.testing.assert_array_equal(there, expected)
    np.testing.assert_array_equal(client.mask(4)[0], drawn)
    assert client.put_mask(ids, client.mask(4)[1], "/api/v/0/mask/4").status_code == 200
    assert (read_raw_mask(out.correction(4)).values[-1, 5:] == 255).all()


def test_a_mask_of_0_and_255_stays_one(make_out: MakeOut, connect: Connect) -> None:
    out = make_out(encoding="binary")
    client = connect(out)
    ids, etag = client.mask(1)
    assert set(np.unique(ids)) == {0, 1}
    assert client.put_mask(np.ones_like(ids), etag).status_code == 200
    with Image.open(out.correction(1)) as image:
        assert image.mode == "L"
        assert image.getextrema() == (255, 255)
    refused = client.write("POST", "/api/objects", json={"video": 0, "name": "dog"})
    assert refused.status_code == 403
    assert "0/255 grey" in refused.json()["error"]


def test_two_pages_at_once_meet(make_out: MakeOut, connect: Connect) -> None:
    out = make_out()
    client = connect(out)
    ids, etag = client.mask(1)
    first, second = ids.copy(), ids.copy()
    first[0, 0], second[23, 31] = 1, 1
    assert client.put_mask(first, etag).status_code == 200
    refused = client.put_mask(second, etag)
    assert refused.status_code == 409
    np.testing.assert_array_equal(client.mask(1)[0], first)
    assert refused.json()["etag"] == client.mask(1)[1]
    assert client.put_mask(second, refused.json()["etag"]).status_code == 200
    np.testing.assert_array_equal(client.mask(1)[0], second)


def test_a_file_that_somebody_put_there_meanwhile_is_not_replaced(
    make_out: MakeOut, connect: Connect
) -> None:
    out = make_out()
    client = connect(out)
    ids, etag = client.mask(1)
    out.layout.masks("clip", "00001").write_bytes(out.layout.masks("clip", "00002").read_bytes())
    assert client.put_mask(ids, etag).status_code == 409
    assert not out.correction(1).exists()


def test_a_save_says_what_it_began_from(make_out: MakeOut, connect: Connect) -> None:
    out = make_out()
    client = connect(out)
    ids, _ = client.mask(1)
    assert client.put_mask(ids, "").status_code == 428
    assert client.write("DELETE", "/api/v/0/mask/1").status_code == 428
    assert not out.correction(1).exists()


def test_a_correction_is_taken_back(make_out: MakeOut, connect: Connect) -> None:
    out = make_out()
    client = connect(out)
    ids, etag = client.mask(1)
    saved = client.put_mask(1 - ids, etag).json()["etag"]
    assert client.write("DELETE", "/api/v/0/mask/1", headers={"If-Match": f'"{etag}"'}).status_code == 409
    taken = client.write("DELETE", "/api/v/0/mask/1", headers={"If-Match": f'"{saved}"'})
    assert (taken.status_code, taken.json()["etag"]) == (200, etag)
    assert not out.correction(1).exists()


@pytest.mark.parametrize("size", [(23, 32), (24, 33), (1, 1), (48, 64)])
def test_a_mask_of_another_size_is_refused(
    size: tuple[int, int], make_out: MakeOut, connect: Connect
) -> None:
    out = make_out()
    client = connect(out)
    answer = client.put_mask(np.zeros(size, np.uint16), client.mask(1)[1])
    assert answer.status_code in (413, 422)
    assert not out.correction(1).exists()


def test_a_mask_of_another_size_that_lies_there_is_told(make_out: MakeOut, connect: Connect) -> None:
    out = make_out()
    client = connect(out)
    out.correction(1).parent.mkdir(parents=True)
    out.correction(1).write_bytes(encode_plane_png(np.zeros((3, 4), np.uint8)))
    answer = client.get("/api/v/0/mask/1")
    assert answer.status_code == 422
    assert "expected a mask of 32x24 like its frame, found 4x3" in answer.json()["error"]


@pytest.mark.parametrize("part", ["corrections", "corrections/clip"])
def test_links_are_not_written_through(
    part: str, make_out: MakeOut, connect: Connect, tmp_path: Path
) -> None:
    out = make_out()
    (tmp_path / "theirs").mkdir()
    (out.root / part).parent.mkdir(exist_ok=True)
    (out.root / part).symlink_to(tmp_path / "theirs")
    client = connect(out)
    ids, etag = client.mask(1)
    refused = client.put_mask(1 - ids, etag)
    assert refused.status_code == 422
    assert "found a link" in refused.json()["error"]
    assert list((tmp_path / "theirs").iterdir()) == []


def test_unknown_ids_are_refused_until_their_object_is_added(make_out: MakeOut, connect: Connect) -> None:
    out = make_out()
    client = connect(out)
    ids, etag = client.mask(1)
    drawn = ids * 2
    refused = client.put_mask(drawn, etag)
    assert refused.status_code == 422
    assert "expected the ids 1, found 2" in refused.json()["error"]
    added = client.write("POST", "/api/objects", json={"video": 0, "name": "  a \n dog "})
    assert (added.status_code, added.json()["id"], added.json()["name"]) == (201, 2, "a dog")
    assert client.put_mask(drawn, etag).status_code == 200
    assert client.write("POST", "/api/objects", json={"video": 0, "name": "a dog"}).status_code == 403
    again = connect(out)
    assert [each["name"] for each in again.get("/api/v/0").json()["objects"]] == ["object 1", "a dog"]


def test_a_bomb_is_not_unpacked(make_out: MakeOut, connect: Connect) -> None:
    client = connect(make_out())
    _, etag = client.mask(1)
    headers = {"Content-Type": "application/octet-stream", "Content-Encoding": "gzip", "If-Match": etag}
    bomb = gzip.compress(bytes(2 << 20))
    assert len(bomb) < 2500
    answer = client.write("PUT", "/api/v/0/mask/1", content=bomb, headers=headers)
    assert answer.status_code == 422
    assert "at most 1536 bytes" in answer.json()["error"]
    for data in (b"no gzip", gzip.compress(bytes(768))[:-9], zlib.compress(bytes(768)), b""):
        assert client.write("PUT", "/api/v/0/mask/1", content=data, headers=headers).status_code == 422


def test_large_bodies_are_refused_before_they_are_read(make_out: MakeOut, connect: Connect) -> None:
    client = connect(make_out())
    kind = {"Content-Type": "application/octet-stream", "If-Match": "x"}
    assert client.write("PUT", "/api/v/0/mask/1", content=bytes(4000), headers=kind).status_code == 413
    assert client.write("PUT", "/api/v/0/flag/1", json={"note": "x" * 70000}).status_code == 413


def test_flags_and_notes_are_kept_with_who_and_when(
    make_out: MakeOut, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    out = make_out()
    client = connect(out)
    assert client.write("PUT", "/api/v/0/flag/1", json={"flag": "bad", "note": "<b>leg"}).status_code == 200
    assert client.write("PUT", "/api/v/0/flag/2", json={"flag": "ok"}).status_code == 200
    assert client.write("PUT", "/api/v/0/flag/3", json={"flag": "skip"}).status_code == 200
    assert client.write("PUT", "/api/v/0/flag/2", json={"flag": None}).status_code == 200
    assert client.get("/api/state").json()["videos"][0]["flags"] == {
        "1": ["bad", "<b>leg"],
        "3": ["skip", ""],
    }
    kept = json.loads((out.root / "corrections" / "review.json").read_text())["videos"]["clip"]["frames"]
    assert (kept["00001"]["who"], kept["00001"]["note"]) == ("ann", "<b>leg")
    assert kept["00001"]["when"].endswith("+00:00")


@pytest.mark.parametrize(
    "said",
    [{"flag": "good"}, {"flag": 1}, {"flag": "ok", "note": "x" * 501}, {"note": ["a"]}, ["ok"], "ok", 7],
)
def test_other_flags_are_refused(said: object, make_out: MakeOut, connect: Connect) -> None:
    client = connect(make_out())
    assert client.write("PUT", "/api/v/0/flag/1", json=said).status_code in (400, 422)
    assert not client.session.notes.path.exists()


def test_broken_json_is_refused(make_out: MakeOut, connect: Connect) -> None:
    client = connect(make_out())
    for text in ("{", "[" * 5000, '"\ud800"', "nan"):
        headers = {"Content-Type": "application/json"}
        data = text.encode("utf-8", "surrogatepass")
        assert client.write("PUT", "/api/v/0/flag/1", content=data, headers=headers).status_code == 400


def test_a_read_only_page_writes_nothing(make_out: MakeOut, connect: Connect) -> None:
    out = make_out()
    client = connect(out, read_only=True)
    before = sorted(out.root.rglob("*"))
    ids, etag = client.mask(1)
    assert "--read-only" in client.get("/api/progress").json()["readOnly"]
    for answer in (
        client.put_mask(ids, etag),
        client.write("DELETE", "/api/v/0/mask/1", headers={"If-Match": etag}),
        client.write("PUT", "/api/v/0/flag/1", json={"flag": "ok"}),
        client.write("POST", "/api/objects", json={"video": 0, "name": "dog"}),
        client.write("POST", "/api/rerun", json={}),
    ):
        assert answer.status_code == 403
        assert "read-only" in answer.json()["error"]
    assert sorted(out.root.rglob("*")) == before


def test_while_a_run_writes_there_the_page_is_read_only_and_says_why(
    make_out: MakeOut, connect: Connect
) -> None:
    out = make_out()
    client = connect(out)
    ids, etag = client.mask(1)
    lock = OutputLock(out.layout.lock)
    try:
        assert client.get("/api/progress").json()["readOnly"] == "another run is writing to this folder"
        assert client.put_mask(ids, etag).status_code == 403
    finally:
        lock.release()
    assert client.get("/api/progress").json()["readOnly"] == ""
    assert client.put_mask(ids, etag).status_code == 200


def test_predictions_are_shown_and_corrected_too(make_out: MakeOut, connect: Connect) -> None:
    out = make_out(command="predict", encoding="binary")
    client = connect(out)
    ids, etag = client.mask(1)
    np.testing.assert_array_equal(ids, out.ids[1])
    assert client.put_mask(1 - ids, etag).status_code == 200
    np.testing.assert_array_equal(read_raw_mask(out.correction(1)).values, (1 - ids) * 255)
    assert client.write("POST", "/api/rerun", json={}).status_code == 403


def test_soft_maps_alone_are_masks_from_a_half_on(make_out: MakeOut, connect: Connect) -> None:
    out = make_out(command="predict", encoding="binary")
    soft = np.arange(24 * 32, dtype=np.int64).reshape(24, 32) % 256
    path = out.layout.soft("clip", "00001")
    path.parent.mkdir(parents=True)
    path.write_bytes(encode_plane_png(soft.astype(np.uint8)))
    out.layout.masks("clip", "00001").unlink()
    np.testing.assert_array_equal(connect(out).mask(1)[0], soft > 127)


def test_confidence_comes_where_it_was_written(make_out: MakeOut, connect: Connect) -> None:
    out = make_out()
    assert connect(out).get("/api/v/0/confidence/1").status_code == 404
    path = out.layout.confidence("clip", "00001")
    path.parent.mkdir(parents=True)
    path.write_bytes(encode_plane_png(np.full((24, 32), 77, np.uint8)))
    client = connect(out)
    assert client.get("/api/v/0/confidence/1").content == path.read_bytes()
    assert client.get("/api/state").json()["videos"][0]["confidenceMaps"]


def test_names_with_html_in_them_are_only_told(make_out: MakeOut, connect: Connect) -> None:
    name = "<img src=x onerror=alert(1)>"
    client = connect(make_out(video=name))
    answer = client.get("/api/state")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["videos"][0]["name"] == name
    assert name not in client.get("/").text


def test_two_bytes_for_each_pixel_hold_any_id() -> None:
    ids = np.arange(12, dtype="<u2").reshape(3, 4) * 5000
    np.testing.assert_array_equal(unpack_ids(ids.tobytes(), (3, 4)), ids)


def test_what_is_meant_for_another_folder_is_refused(make_out: MakeOut, connect: Connect) -> None:
    client = connect(make_out())
    name = client.get("/api/state").json()["folder"]
    assert client.get("/api/v/0", **{"X-Folder": name}).status_code == 200
    assert client.get("/api/v/0", **{"X-Folder": "another"}).status_code == 410
    headers = {"X-Folder": "another"}
    assert client.write("PUT", "/api/v/0/flag/1", json={"flag": "ok"}, headers=headers).status_code == 410
    assert client.get("/api/progress", **headers).status_code == 200


def test_a_frame_that_is_not_decoded_yet_keeps_nobody_waiting(
    make_out: MakeOut, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(make_out())
    monkeypatch.setattr(client.session.video(0).frames, "ready", lambda index: index < 2)
    assert client.get("/api/v/0/frame/1").status_code == 200
    assert client.get("/api/v/0/frame/2").status_code == 202


def test_a_mask_of_a_video_that_cannot_be_opened_is_refused(make_out: MakeOut, connect: Connect) -> None:
    out = make_out()
    for name in out.names:
        out.layout.masks("clip", name).write_bytes(b"no picture")
    answer = connect(out).put_mask(np.zeros(out.size, np.uint8), "0" * 64)
    assert (answer.status_code, "hint" in answer.json()) == (422, True)


@pytest.mark.parametrize("name", ["a\ud800b", "a\u202eb", "a\x00b"])
def test_a_name_that_no_text_file_holds_does_not_close_the_video(
    name: str, make_out: MakeOut, connect: Connect
) -> None:
    out = make_out()
    client = connect(out)
    body = json.dumps({"video": 0, "name": name}).encode()
    headers = {"Content-Type": "application/json"}
    assert client.write("POST", "/api/objects", content=body, headers=headers).status_code == 201
    assert client.get("/api/v/0").status_code == 200
    assert Notes(out.layout).read()["clip"].objects[0].name.encode().startswith(b"a")


@pytest.mark.parametrize("said", [{"video": True, "name": "a"}, {"video": 10**30, "name": "a"}])
def test_an_object_of_no_video_is_refused(said: object, make_out: MakeOut, connect: Connect) -> None:
    assert connect(make_out()).write("POST", "/api/objects", json=said).status_code in (400, 404)


@pytest.mark.parametrize(
    "path", ["/api/v/0/mask/" + "1" * 5000, "/api/v/" + "1" * 5000, "/api/v/0/frame/" + "9" * 400]
)
def test_numbers_that_are_too_long_are_not_found(path: str, make_out: MakeOut, connect: Connect) -> None:
    assert connect(make_out()).get(path).status_code == 404


def test_two_objects_that_are_added_at_once_have_two_ids(make_out: MakeOut, connect: Connect) -> None:
    client = connect(make_out())
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            added = [*pool.map(lambda number: client.session.add_object(0, f"thing {number}"), range(64))]
    finally:
        sys.setswitchinterval(before)
    assert len({info.id for info in added}) == 64


def test_a_correction_that_cannot_be_used_is_told_with_what_takes_it_back(
    make_out: MakeOut, connect: Connect
) -> None:
    out = make_out()
    out.correction(1).parent.mkdir(parents=True)
    out.correction(1).write_bytes(b"no picture")
    client = connect(out)
    assert client.get("/api/v/0").status_code == 200
    answer = client.get("/api/v/0/mask/1")
    assert answer.status_code == 422
    assert "00001.png" in answer.json()["error"]
    etag = answer.json()["etag"]
    assert client.write("DELETE", "/api/v/0/mask/1", headers={"If-Match": '"another"'}).status_code == 409
    assert client.write("DELETE", "/api/v/0/mask/1", headers={"If-Match": f'"{etag}"'}).status_code == 200
    assert not out.correction(1).exists()
    np.testing.assert_array_equal(client.mask(1)[0], out.ids[1])
