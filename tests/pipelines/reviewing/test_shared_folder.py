"""Two servers on one folder: nothing of either is lost, and each hears of the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.pipelines.reviewing.conftest import Client, Connect, MakeOut, Out
from vsodtool.errors import UsageError
from vsodtool.media.output.lock import Holding, probe
from vsodtool.pipelines.reviewing import masks
from vsodtool.pipelines.reviewing.notes import Notes
from vsodtool.pipelines.reviewing.shared_folder import LOCK


@pytest.fixture
def out(make_out: MakeOut) -> Out:
    return make_out()


@pytest.fixture
def ann(out: Out, connect: Connect) -> Client:
    return connect(out)


@pytest.fixture
def bob(out: Out, connect: Connect) -> Client:
    return connect(out)


def revision(client: Client) -> str:
    told = client.get("/api/progress").json()
    return str(told["revision"])


def say(client: Client, flag: str, note: str, before: list[str]) -> dict[str, object]:
    answer = client.write("PUT", "/api/v/0/flag/1", json={"flag": flag, "note": note, "before": before})
    assert answer.status_code == 200
    return dict(answer.json())


def test_objects_that_two_add_have_two_ids_and_both_know_both(ann: Client, bob: Client) -> None:
    for client in (ann, bob):
        assert client.session.video(0).masks.objects  # both have opened it
    ann.session.add_object(0, "dog")
    with pytest.raises(UsageError, match="'dog', which is taken"):
        bob.session.add_object(0, "dog")
    bob.session.add_object(0, "cat")
    for client in (ann, bob):
        told = client.get("/api/v/0").json()["objects"]
        assert {each["id"]: each["name"] for each in told} == {1: "object", 2: "dog", 3: "cat"}


def test_an_object_that_could_not_be_noted_can_be_added_again(
    ann: Client, out: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    out.layout.notes.parent.mkdir()
    out.layout.notes.write_text("damaged")
    assert ann.write("POST", "/api/objects", json={"video": 0, "name": "dog"}).status_code == 422
    out.layout.notes.unlink()
    assert ann.write("POST", "/api/objects", json={"video": 0, "name": "dog"}).status_code == 201


def test_a_mask_is_compared_and_written_under_a_lock_that_other_processes_see(
    ann: Client, out: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[Holding] = []
    write = masks.write_bytes_atomically

    def watched(path: Path, data: bytes) -> None:
        held.append(probe(out.layout.corrections / LOCK))
        write(path, data)

    monkeypatch.setattr(masks, "write_bytes_atomically", watched)
    ids, etag = ann.mask(1)
    assert ann.put_mask(1 - ids, etag).status_code == 200
    assert held == [Holding.HELD]
    assert not (out.layout.corrections / LOCK).exists()


def test_of_two_masks_of_one_frame_the_second_is_refused(ann: Client, bob: Client) -> None:
    ids, etag = ann.mask(1)
    assert ann.put_mask(1 - ids, etag).status_code == 200
    refused = bob.put_mask(np.zeros_like(ids), etag)
    assert (refused.status_code, refused.json()["etag"]) == (409, bob.mask(1)[1])


def test_what_is_sent_again_as_no_answer_came_is_no_conflict(ann: Client, out: Out) -> None:
    ids, etag = ann.mask(1)
    told = [ann.put_mask(1 - ids, etag).json()["etag"] for _ in range(2)]
    assert told[0] == told[1] == ann.mask(1)[1]
    for _ in range(2):
        taken = ann.write("DELETE", "/api/v/0/mask/1", headers={"If-Match": f'"{told[0]}"'})
        assert (taken.status_code, taken.json()["etag"]) == (200, etag)
    assert not out.correction(1).exists()


def test_each_hears_of_what_the_other_wrote(ann: Client, bob: Client) -> None:
    ids, etag = ann.mask(1)
    known = revision(bob)
    assert ann.put_mask(1 - ids, etag).status_code == 200
    assert revision(bob) != known
    assert bob.get("/api/state").json()["videos"][0]["corrected"] == [1]
    known = revision(bob)
    say(ann, "ok", "", ["", ""])
    assert revision(bob) != known
    assert revision(bob) == revision(bob)


def test_what_one_writes_oneself_is_no_news(ann: Client, bob: Client) -> None:
    known = revision(ann)
    told = say(ann, "ok", "", ["", ""])
    assert (told["before"], told["revision"]) == (known, revision(ann))
    say(bob, "ok", "tail", ["ok", ""])
    told = say(ann, "bad", "", ["ok", ""])  # Bob's was never told
    assert told["before"] != revision(ann)


def test_verdict_and_note_of_two_people_are_both_kept(ann: Client, bob: Client, out: Out) -> None:
    say(ann, "bad", "", ["", ""])
    assert say(bob, "", "tail", ["", ""])["said"] == ["bad", "tail"]
    said = Notes(out.layout).read()["clip"].frames["00001"]
    assert (said.flag, said.note) == ("bad", "tail")


def test_a_verdict_that_was_not_seen_is_not_replaced(ann: Client, bob: Client) -> None:
    say(ann, "bad", "", ["", ""])
    assert say(bob, "ok", "", ["", ""])["said"] == ["bad", ""]
    assert say(bob, "ok", "", ["bad", ""])["said"] == ["ok", ""]  # now it was seen
    assert say(bob, "ok", "", ["bad", ""])["said"] == ["ok", ""]  # sent again


@pytest.mark.parametrize(
    ("there", "before", "said", "kept"),
    [
        ("a leg", "", "the tail", "a leg / the tail"),
        ("a leg / the tail", "", "the tail", "a leg / the tail"),  # sent again
        ("a leg", "a leg", "leg", "leg"),
        ("a leg", "a leg", "", ""),
        ("a leg", "an arm", "", "a leg"),
        ("", "an arm", "an arm", ""),
        ("", "an arm", "an arm!", "an arm!"),
    ],
)
def test_notes_of_two_people(there: str, before: str, said: str, kept: str, out: Out) -> None:
    notes = Notes(out.layout)
    notes.set("clip", "00001", "ok", there)
    assert notes.set("clip", "00001", "ok", said, ("ok", before)).note == kept


@pytest.mark.parametrize("before", ["ok", ["ok"], ["ok", 1], {}, 1])
def test_what_was_seen_before_is_a_verdict_and_a_note(before: object, ann: Client) -> None:
    answer = ann.write("PUT", "/api/v/0/flag/1", json={"flag": "ok", "before": before})
    assert answer.status_code == 400
