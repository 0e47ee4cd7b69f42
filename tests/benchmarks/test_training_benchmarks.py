"""What the benchmarks that train do around the training: splitting, keeping, tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

Script = Callable[[str], ModuleType]


def test_parts_share_no_frame_and_leave_none_out(script: Script) -> None:
    parts = script("same_domain").parts

    @settings(deadline=None)
    @given(st.integers(4, 500), st.floats(0.3, 0.7), st.floats(0.75, 1.0))
    def check(count: int, border: float, end: float) -> None:
        split = parts(count, border, end)
        together = [*split.first, *split.validation, *split.rest]
        assert together == list(range(round(end * count)))
        assert len(split.validation) == 1
        assert len(split.first) + 1 == round(border * count)

    check()


def test_parts_are_links_and_stay(script: Script, boxes: Path, tmp_path: Path) -> None:
    find_sequences = script("davis").find_sequences
    link_part, sequences = script("parts").link_part, find_sequences(boxes)
    for _ in range(2):
        link_part(tmp_path / "part", sequences, lambda count: range(2, count - 3))
        made = find_sequences(tmp_path / "part")
        assert [sequence.name for sequence in made] == ["quick", "still"]
        for sequence, whole in zip(made, sequences, strict=True):
            assert [file.resolve() for file in sequence.frames] == whole.frames[2:6]
            assert [file.resolve() for file in sequence.masks] == whole.masks[2:6]
    with pytest.raises(SystemExit, match="belongs to another split"):
        link_part(tmp_path / "part", sequences, lambda count: range(3, count))


def test_results_are_kept_for_their_settings_only(script: Script, tmp_path: Path) -> None:
    kept_type, path = script("shell").Kept, tmp_path / "new" / "results.json"
    kept = kept_type(path, {"steps": 3})
    assert "a-0" not in kept
    kept["a-0"] = {"mae": 0.5}
    assert kept_type(path, {"steps": 3})["a-0"] == {"mae": 0.5}
    with pytest.raises(SystemExit, match="begun with steps 3, now 4"):
        kept_type(path, {"steps": 4})


def test_files_that_options_name_count_by_their_contents(script: Script, tmp_path: Path) -> None:
    digests, file = script("shell").digests, tmp_path / "c.yaml"
    file.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert digests(["--config", str(file), "none.yaml"]) == ["ba7816bf8f01cfea"]


def test_a_failed_command_ends_the_benchmark(script: Script, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="exit status 3 of: vsodtool evaluate"):
        script("shell").vsodtool("evaluate", tmp_path / "none", tmp_path)


def test_the_claim_as_a_table(script: Script) -> None:
    tool = script("semi_supervised")

    def row(s: float) -> dict[str, float]:
        return {"s_measure": s, "max_f": s + 0.1, "mae": 0.1, "minutes": 2.0}

    results = {
        ("a", 0): row(0.5),
        ("a", 1): row(0.6),
        ("b", 0): row(0.7),
        ("b", 1): row(0.8),
        ("c", 0): row(0.8),
        ("c", 1): row(0.7),
    }
    lines = tool.table(results, 5, {"a": 9, "b": 9, "c": 40})
    rows = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]] for line in lines}
    # The standard deviation of a sample of two is their distance / sqrt(2).
    assert rows["a"][:3] == ["every 5th mask", "9", "0.5500 ± 0.0707"]
    assert rows["b"][6] == "0.7000, 0.8000"
    assert rows["b − a"][2] == "+0.2000 ± 0.0000"
    assert rows["b − c"][2] == "+0.0000 ± 0.1414"
    assert len({line.count("|") for line in lines}) == 1


def test_videos_set_aside(script: Script, boxes: Path) -> None:
    tool = script("semi_supervised")
    sequences = tool.find_sequences(boxes)
    assert tool.held_out(sequences, None) == ["still"]
    assert tool.held_out(sequences, ["quick"]) == ["quick"]
    assert [sequence.name for sequence in (sequences * 7)[4::9]] == tool.held_out(sequences * 7, None)


def test_same_domain_table(script: Script) -> None:
    s = {"s_measure": 0.9, "max_f": 0.8, "mae": 0.01}
    j = {"j_mean": 0.7, "j_recall": 1.0}
    lines = script("same_domain").table(
        ["v"], {"scores": s, "videos": {"v": s}}, {"scores": j, "videos": {"v": j}}
    )
    assert "| v | 0.9000 | 0.8000 | 0.0100 | 0.7000 | 1.0000 |" in lines
    assert len({line.count("|") for line in lines}) == 1
