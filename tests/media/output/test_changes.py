"""What may not differ between a run and the one that it continues, refused by name and with both values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from vsodtool.errors import DataError, UsageError, WeightsError
from vsodtool.media.output.changes import UNCOMPARED, ChangedMasksError, refuse_changes
from vsodtool.media.output.manifest import COMPLETE, UPDATING, InputEntry, Manifest

OUT = Path("out")
CLIP = InputEntry("clip.mp4", 1, "f1", 3, "m1")
BEFORE = Manifest(
    "pseudolabel", {"every": 5, "device": "cuda:0"}, {"clip": CLIP}, weights={"densifier": "a" * 64}
)


def test_the_same_again_is_no_change() -> None:
    refuse_changes(OUT, BEFORE, replace(BEFORE))


@pytest.mark.parametrize("name", sorted(UNCOMPARED))
def test_options_that_change_no_result_may_differ(name: str) -> None:
    refuse_changes(OUT, BEFORE, replace(BEFORE, config={**BEFORE.config, name: "other"}))


def test_shards_compute_on_several_devices_of_one_kind() -> None:
    refuse_changes(OUT, BEFORE, replace(BEFORE, config={"every": 5, "device": "cuda:1"}))
    with pytest.raises(
        UsageError, match="option --device changed: out was begun with 'cuda', now it is 'cpu'"
    ):
        refuse_changes(OUT, BEFORE, replace(BEFORE, config={"every": 5, "device": "cpu"}))


@pytest.mark.parametrize(
    ("now", "error", "text"),
    [
        (replace(BEFORE, version="0.0"), UsageError, "out was begun by vsodtool .*, this is 0.0"),
        (replace(BEFORE, command="flow"), UsageError, "the command 'pseudolabel', this is 'flow'"),
        (
            replace(BEFORE, config={"device": "cuda:0"}),
            UsageError,
            "--every changed.*with 5, now it is not set",
        ),
        (replace(BEFORE, config={**BEFORE.config, "cuts_sha256": "c"}), UsageError, "option --cuts changed"),
        (replace(BEFORE, inputs={}), DataError, "'clip', which is not among the inputs now"),
        (
            replace(BEFORE, inputs={"clip": CLIP, "new": replace(CLIP, path="new.mp4")}),
            DataError,
            r"begun without the video 'new' \(new.mp4\)",
        ),
        (replace(BEFORE, inputs={"clip": replace(CLIP, fingerprint="f2")}), DataError, "has changed since"),
        (replace(BEFORE, weights={"densifier": "b" * 64}), WeightsError, "begun with aaaaaaaaaaaa, now bbbb"),
        (replace(BEFORE, weights={}), WeightsError, "now none"),
    ],
)
def test_what_changed_is_named(now: Manifest, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        refuse_changes(OUT, BEFORE, now)


def test_changed_masks_are_refused_with_the_way_to_take_them_and_taken_by_an_update() -> None:
    now = replace(BEFORE, inputs={"clip": replace(CLIP, masks=4, masks_sha256="m2")})
    with pytest.raises(ChangedMasksError, match="then 3, now 4") as refusal:
        refuse_changes(OUT, BEFORE, now)
    assert refusal.value.video == "clip"
    assert refusal.value.hint.startswith("say --update")
    refuse_changes(OUT, BEFORE, now, update=True)


@pytest.mark.parametrize("status", [COMPLETE, UPDATING])
def test_a_new_video_is_refused_with_the_way_to_take_it_and_taken_by_an_update(status: str) -> None:
    config = {**BEFORE.config, "update": False}
    before = replace(BEFORE, status=status, config=config)
    now = replace(before, inputs={"clip": CLIP, "new": replace(CLIP, path="new.mp4")})
    with pytest.raises(DataError, match="begun without the video 'new'") as refusal:
        refuse_changes(OUT, before, now)
    assert refusal.value.hint.startswith("say --update")
    refuse_changes(OUT, before, now, update=True)
    with pytest.raises(DataError) as refusal:
        refuse_changes(OUT, replace(before, config=BEFORE.config), replace(now, config=BEFORE.config))
    assert "--update" not in refusal.value.hint  # a command that has none


def test_a_video_that_has_gone_is_refused_by_an_update_too() -> None:
    with pytest.raises(DataError, match=r"'clip', which is not among the inputs now$"):
        refuse_changes(OUT, BEFORE, replace(BEFORE, inputs={}), update=True)
    only = {**BEFORE.config, "only_masked": True}
    with pytest.raises(DataError, match="or has no mask any more") as refusal:
        refuse_changes(
            OUT, replace(BEFORE, config=only), replace(BEFORE, config=only, inputs={}), update=True
        )
    assert refusal.value.hint.startswith("give it a mask again")
