"""Who is who: tracks, categories, attributes; numbers that are kept and numbers that are given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.errors import DataError
from vsodtool.media.annotations.model import Category, FrameKey, FrameLabels, Shape
from vsodtool.media.annotations.objects import ObjectInfo, ObjectRule, VideoObjects, identify

SIZE = (1, 8)


def shape(category: str, *columns: int, track: str | None = None, z: int = 0, **more: object) -> Shape:
    def draw(size: tuple[int, int]) -> np.ndarray:
        mask = np.zeros(size, bool)
        mask[0, list(columns)] = True
        return mask

    return Shape(category, draw, "file: shape", track=track, z=z, **more)  # type: ignore[arg-type]


def objects(*frames: list[Shape], how: str = "auto", classes: str = "") -> VideoObjects:
    made = [FrameLabels(FrameKey(f"{place}"), tuple(shapes)) for place, shapes in enumerate(frames)]
    rule = ObjectRule(how, frozenset(classes.split()))
    return identify({"clip": made}, [Category("dog", "#010203")], rule)["clip"]


def named(known: VideoObjects) -> dict[int, str]:
    return {info.id: info.name for info in known.infos}


def test_tracks_keep_their_numbers_if_all_have_one() -> None:
    assert named(objects([shape("dog", 0, track="7"), shape("cat", 1, track="3")])) == {3: "cat", 7: "dog"}
    for odd in ("0", "65536", "a", "٣", "-1"):
        assert named(objects([shape("dog", 0, track="7"), shape("cat", 1, track=odd)])) == {
            1: "dog",
            2: "cat",
        }
    # One object without a number is enough to number all anew; two of one track and two classes too.
    assert named(objects([shape("dog", 0, track="7"), shape("cat", 1)])) == {2: "dog", 1: "cat"}
    assert named(objects([shape("dog", 0, track="7"), shape("cat", 1, track="7")])) == {1: "dog", 2: "cat"}


def test_two_of_a_category_are_told_apart_by_their_ids() -> None:
    known = objects([shape("dog", 0, track="4"), shape("dog", 1, track="9")])
    assert named(known) == {4: "dog 4", 9: "dog 9"}
    assert {info.color for info in known.infos} == {"#010203"}


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("single", {1: "object"}),
        ("category", {1: "dog", 2: "cat"}),
        ("attribute:name", {1: "Rex", 2: "Tom", 3: "Max"}),
    ],
)
def test_ways_to_tell_objects_apart(how: str, expected: dict[int, str]) -> None:
    shapes = [
        shape("dog", 0, track="5", attributes={"name": "Rex"}),
        shape("cat", 1, track="6", attributes={"name": "Tom"}),
        shape("dog", 2, track="7", attributes={"name": "Max"}),
    ]
    assert named(objects(shapes, how=how)) == expected


def test_what_nobody_can_know_is_refused() -> None:
    with pytest.raises(DataError, match="dog occurs 2 times in 0") as caught:
        objects([shape("dog", 0), shape("dog", 1)])
    assert "--objects category" in caught.value.hint
    with pytest.raises(DataError, match="expected a track"):
        objects([shape("dog", 0)], how="track")
    with pytest.raises(DataError, match="expected the attribute 'name', found age"):
        objects([shape("dog", 0, attributes={"age": "3"})], how="attribute:name")


def test_parts_of_one_thing_are_one() -> None:
    parts = [shape("dog", 0, part_of="a"), shape("dog", 2, part_of="a")]
    assert objects(parts).paint(FrameLabels(FrameKey("0"), tuple(parts)), SIZE).tolist() == [
        [1, 0, 1, 0, 0, 0, 0, 0]
    ]
    with pytest.raises(DataError, match="dog occurs 2 times"):
        objects([*parts, shape("dog", 4, part_of="b")])


def test_upper_shapes_cover_lower_ones_and_that_is_counted() -> None:
    shapes = [
        shape("dog", 0, 1, 2, z=1),
        shape("cat", 1, 2, 3),
        shape("dog", 3, 4, z=2),
        shape("cow", 0, z=-5),
    ]
    frame = FrameLabels(FrameKey("0"), tuple(shapes))
    known = objects(shapes, how="category")
    ids = {info.name: info.id for info in known.infos}
    labels, covered = known.paint_and_count(frame, SIZE)
    dog, cat = ids["dog"], ids["cat"]
    assert labels.tolist() == [[dog, dog, dog, dog, dog, 0, 0, 0]]
    # The dog covers the cow's one pixel and two of the cat, its second shape the third; its own do not count.
    assert covered == 1 + 2 + 1
    assert known.present(frame) == {dog, cat, ids["cow"]}


def test_classes_that_do_not_count_are_nowhere() -> None:
    shapes = [shape("dog", 0), shape("cat", 1)]
    known = objects(shapes, classes="cat")
    frame = FrameLabels(FrameKey("0"), tuple(shapes))
    assert named(known) == {1: "cat"}
    assert [one.category for one in known.shapes_of(frame)] == ["cat"]
    assert known.paint(frame, SIZE).tolist() == [[0, 1, 0, 0, 0, 0, 0, 0]]


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 8)),
    st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1),
)
def test_other_numbers_for_the_same_objects(known: dict[str, int], names: list[str]) -> None:
    if len(set(known.values())) < len(known):
        return
    shapes = [shape(name, place) for place, name in enumerate(names)]
    frame = FrameLabels(FrameKey("0"), tuple(shapes))
    found = objects(shapes).renumbered(known)
    ids = {info.name: info.id for info in found.infos}
    assert len(set(ids.values())) == len(names)
    assert [info.id for info in found.infos] == sorted(ids.values())
    for place, name in enumerate(names):
        assert ids[name] == known.get(name, ids[name])
        assert name in known or ids[name] not in known.values()
        assert name in known or place + 1 in known.values() or ids[name] == place + 1
        assert found.paint(frame, SIZE)[0, place] == ids[name]


def test_other_objects_keep_their_numbers_where_these_are_free() -> None:
    shapes = [shape("dog", 0, track="3"), shape("cat", 1, track="7"), shape("cow", 2, track="9")]
    assert named(objects(shapes).renumbered({})) == {3: "dog", 7: "cat", 9: "cow"}
    assert named(objects(shapes).renumbered({"cow": 7})) == {1: "cat", 3: "dog", 7: "cow"}


def info(number: int, name: str, track: str = "") -> ObjectInfo:
    return ObjectInfo(number, name, name, track)


def test_objects_have_the_numbers_of_before() -> None:
    before = [info(1, "ball"), info(2, "dog")]
    new = objects([shape("bird", 0), shape("ball", 1), shape("dog", 2)])
    assert named(new) == {1: "bird", 2: "ball", 3: "dog"}
    assert named(new.with_ids_of(before)) == {1: "ball", 2: "dog", 3: "bird"}
    # Who has gone leaves a number free, but not one that masks beside the file hold.
    assert named(objects([shape("bird", 0)]).with_ids_of(before)) == {1: "bird"}
    assert named(objects([shape("bird", 0)]).with_ids_of([], [info(1, "bee")])) == {2: "bird"}
    assert named(objects([shape("bee", 0)]).with_ids_of([], [info(3, "bee")])) == {3: "bee"}


def test_a_track_is_who_it_was_when_a_second_one_of_its_class_comes() -> None:
    new = objects([shape("dog", 0, track="7"), shape("dog", 1, track="9")])
    assert named(new.with_ids_of([info(7, "dog", "7")])) == {7: "dog 7", 9: "dog 9"}
    assert named(new.with_ids_of([info(4, "dog", "7")])) == {4: "dog 7", 9: "dog 9"}


@given(
    st.lists(st.tuples(st.integers(1, 6), st.sampled_from("abcdef")), unique_by=lambda pair: pair[0]),
    st.lists(st.tuples(st.integers(1, 6), st.sampled_from("abcdef")), unique_by=lambda pair: pair[1]),
    st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1),
)
def test_no_number_is_given_twice(
    before: list[tuple[int, str]], added: list[tuple[int, str]], names: list[str]
) -> None:
    known = objects([shape(name, place) for place, name in enumerate(names)])
    found = known.with_ids_of([info(*each) for each in before], [info(*each) for each in added])
    assert sorted(each.name for each in found.infos) == sorted(names)
    assert len({each.id for each in found.infos}) == len(names)


def test_what_had_no_name_has_its_number_again() -> None:
    assert named(objects([shape("object 2", 0)], [shape("object 1", 1)])) == {2: "object 2", 1: "object 1"}
    # Beside things that somebody drew without a number.
    shapes = [shape("object 2", 0, track="2"), shape("bird", 1), shape("object 400", 2, track="400")]
    assert named(objects(shapes)) == {2: "object 2", 1: "bird", 400: "object 400"}
    for odd in ("object 0", "object 65536", "object 02", "object", "an object 3"):
        assert named(objects([shape("dog", 0), shape(odd, 1)])) == {1: "dog", 2: odd}


def test_a_name_with_a_number_in_it_is_not_the_name_of_another() -> None:
    shapes = [shape("dog", 0, track="1"), shape("dog", 1, track="2"), shape("dog 1", 2, track="5")]
    assert named(objects(shapes)) == {1: "dog (1)", 2: "dog 2", 5: "dog 1"}
