"""Parts of a video: every missing frame in one of them, bounds where nothing is computed twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vsodtool.ops.shots.shots import ONE_SHOT, Shots
from vsodtool.pipelines.detect.parts import divide


def names(count: int) -> list[str]:
    return [f"{index:05d}" for index in range(count)]


@given(st.data())
def test_every_missing_frame_is_in_one_part(data: st.DataObject) -> None:
    frames = names(data.draw(st.integers(1, 60)))
    inner = st.sets(st.integers(1, len(frames) - 1)) if len(frames) > 1 else st.just(set[int]())
    shots = Shots(tuple(sorted(data.draw(inner))))
    finished = data.draw(st.sets(st.sampled_from(frames)))
    grain, most = data.draw(st.integers(1, 9)), data.draw(st.integers(0, 40))
    parts = divide(frames, shots, finished, most, grain)
    assert [name for part in parts for name in part] == [name for name in frames if name not in finished]
    assert all(parts)
    for part in parts:
        shot = shots.around(int(part[0]), len(frames))
        first, last = int(part[0]) - shot.start, int(part[-1]) - shot.start
        length = -(-max(most, 1) // grain) * grain
        assert int(part[-1]) in shot
        assert first // length == last // length


def test_bounds_lie_at_multiples_from_the_beginning_of_the_shot() -> None:
    parts = divide(names(20), Shots((7,)), set(), 5, 4)
    assert [(part[0], part[-1]) for part in parts] == [
        ("00000", "00006"),
        ("00007", "00014"),
        ("00015", "00019"),
    ]
    assert divide(names(3), ONE_SHOT, set(names(3)), 5, 4) == []
