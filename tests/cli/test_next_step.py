from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.cli.next_step import tell_after_predict, tell_after_training, tell_first_steps, tell_next_step
from vsodtool.config.url import to_path

WORST = {"00007": 0.41, "00021": 0.62}


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")


def test_the_worst_frames_and_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    tell_next_step([("chair", WORST)], Path("my labels"))
    said = capsys.readouterr()
    assert said.out == ""
    first, second, third = said.err.splitlines()
    assert first == "least sure, spread over time: 00007 (0.41), 00021 (0.62)"
    assert second == "next: vsodtool review 'my labels'"
    assert "vsodtool suggest 'my labels' -n 5 --export stills" in third
    assert "--update and also --masks stills/masks" in third


def test_five_of_all_videos(capsys: pytest.CaptureFixture[str]) -> None:
    more = {f"{index:05d}": index / 10 for index in range(5)}
    tell_next_step([("a", WORST), ("b", more)], Path("o"))
    first = capsys.readouterr().err.splitlines()[0]
    assert first.endswith("b/00000 (0.00), b/00001 (0.10), b/00002 (0.20), b/00003 (0.30), b/00004 (0.40)")


def test_no_page_for_a_bucket(capsys: pytest.CaptureFixture[str]) -> None:
    tell_after_predict(to_path("s3://team/labels"))
    tell_next_step([("chair", WORST)], to_path("s3://team/labels"))
    _, second = capsys.readouterr().err.splitlines()
    assert second.startswith("next: copy s3://team/labels to a disk, ")


def test_nothing_to_look_at(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    tell_next_step([("a", {})], Path("o"))
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    tell_next_step([("a", WORST)], Path("o"))  # the first process speaks
    assert capsys.readouterr().err == ""


def test_after_predict_and_training(capsys: pytest.CaptureFixture[str]) -> None:
    tell_after_predict(Path("my out"))
    tell_after_training(Path("run/best.safetensors"))
    assert capsys.readouterr().err.splitlines() == [
        "next: vsodtool review 'my out'",
        "next: vsodtool predict VIDEO --weights run/best.safetensors -o out --masks",
    ]


def test_a_tool_that_is_not_on_the_path(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("sys.argv", [".venv/bin/vsodtool", "demo"])
    tell_first_steps(Path("demo-out/labels"))
    err = capsys.readouterr().err
    assert ".venv/bin/vsodtool review demo-out/labels" in err
    assert ".venv/bin/vsodtool pseudolabel VIDEO" in err


def test_a_package_that_was_started_by_m(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("sys.argv", ["/lib/vsodtool/__main__.py", "predict"])
    monkeypatch.setattr("sys.executable", "/my venv/bin/python")
    tell_after_predict(Path("-out"))
    assert capsys.readouterr().err == "next: '/my venv/bin/python' -m vsodtool review ./-out\n"
