"""Which rank of a torchrun this is, its share, and what ranks tell each other."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.distributed import HashStore

from vsodtool.config import FlowConfig
from vsodtool.errors import DeviceError
from vsodtool.pipelines.running.ranks import Board, Rank, share_of

ENVIRONMENT = {
    "TORCHELASTIC_RUN_ID": "none",
    "RANK": "5",
    "WORLD_SIZE": "8",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "4",
}
RANK = Rank(5, 8, 1, 4)
CONFIG = FlowConfig(inputs=("a.mp4",), output=Path("out"))


def test_what_torchrun_sets() -> None:
    assert Rank.from_environment(ENVIRONMENT) == RANK


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_other_launchers_are_not_torchrun(name: str) -> None:
    assert Rank.from_environment({key: value for key, value in ENVIRONMENT.items() if key != name}) is None


def test_one_process_is_no_rank() -> None:
    assert Rank.from_environment({**ENVIRONMENT, "RANK": "0", "WORLD_SIZE": "1"}) is None
    assert Rank.from_environment({}) is None


@pytest.mark.parametrize(
    ("device", "present", "expected"),
    [
        ("cuda", 4, "cuda:1"),
        ("cuda", 1, "cuda:1"),  # refused later: an absent device is never replaced
        ("auto", 4, "cuda:1"),
        ("auto", 1, "cuda:0"),
        ("auto", 0, "auto"),
        ("cuda:3", 4, "cuda:3"),
        ("cpu", 4, "cpu"),
    ],
)
def test_the_device_of_a_rank(
    device: str, present: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: present)
    assert share_of(replace(CONFIG, device=device), RANK).device == expected


def test_the_share_of_a_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsodtool.pipelines.running.ranks.resolve_workers", lambda workers: 9)
    share = share_of(CONFIG, RANK)
    assert (share.shard, share.workers) == ("6/8", 2)
    share = share_of(replace(CONFIG, shard="2/3", workers=7), RANK)
    assert (share.shard, share.workers) == ("14/24", 7)
    monkeypatch.setattr("vsodtool.pipelines.running.ranks.resolve_workers", lambda workers: 1)
    assert share_of(CONFIG, RANK).workers == 1


def test_what_is_posted_can_be_read() -> None:
    board = Board(HashStore())
    assert not board.has("a")
    long = "x" * (2 << 20) + "y"
    for name, text in (("a", ""), ("b", "text"), ("c", long)):
        board.post(name, text)
        assert board.has(name)
        assert board.read(name) == text
    assert board.wait(["z", "b"]) == "b"


def test_waiting_until_somebody_posts() -> None:
    board = Board(HashStore())
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(board.wait(["a", "b"])))
    thread.start()
    board.post("b", "text")
    thread.join()
    assert found == ["b"]


def test_the_first_proposal_holds() -> None:
    board = Board(HashStore())
    assert [board.agree("launch", text) for text in ("one", "two")] == ["one", "one"]


def test_a_torchrun_that_has_gone() -> None:
    class Gone:
        def check(self, keys: list[str]) -> bool:
            raise RuntimeError("Broken pipe\nmore")

    with pytest.raises(DeviceError, match=r"lost contact with torchrun: Broken pipe$"):
        Board(Gone()).has("a")  # type: ignore[arg-type]
