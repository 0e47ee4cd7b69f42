"""Weight files: found, fetched, checked, refused. The net is a folder here."""

from __future__ import annotations

import hashlib
import io
import urllib.error
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from vsodtool.errors import DeviceError, WeightsError
from vsodtool.media.weights.checkpoints import (
    check_hash_in_name,
    fetch_torchvision_weights,
    torchvision_weights_path,
)

TENSORS = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.zeros(2)}


@dataclass(frozen=True)
class Member:
    url: str


def packed(content: object = TENSORS) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def publish(folder: Path, data: bytes, digest: str = "") -> Member:
    """Put a file where the 'net' is, under a name with its hash."""
    folder.mkdir(exist_ok=True)
    path = folder / f"raft_small-{digest or hashlib.sha256(data).hexdigest()[:8]}.pth"
    path.write_bytes(data)
    return Member(path.as_uri())


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    return tmp_path / "hub" / "checkpoints"


def test_the_path_is_torchs_own(hub: Path) -> None:
    member = Member("https://example.org/models/raft_large-0123abcd.pth?download=1")
    assert torchvision_weights_path(member) == hub / "raft_large-0123abcd.pth"


def test_real_members_have_a_hash_in_their_name(hub: Path) -> None:
    from torchvision.models.optical_flow import Raft_Large_Weights, Raft_Small_Weights

    for member in (*Raft_Small_Weights, *Raft_Large_Weights):
        path = torchvision_weights_path(member)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not these weights")
        with pytest.raises(WeightsError, match="is damaged: expected a SHA-256 beginning with"):
            fetch_torchvision_weights(member)


def test_fetches_once_and_then_uses_the_cache(tmp_path: Path, hub: Path) -> None:
    member = publish(tmp_path / "net", packed())
    said: list[str] = []
    first = fetch_torchvision_weights(member, on_download=said.append)
    assert len(said) == 1
    assert member.url in said[0]
    for path in (tmp_path / "net").iterdir():
        path.unlink()
    second = fetch_torchvision_weights(member, on_download=said.append)
    assert len(said) == 1
    for loaded in (first, second):
        assert loaded.keys() == TENSORS.keys()
        assert all(torch.equal(loaded[name], TENSORS[name]) for name in TENSORS)
    assert [path.name for path in hub.iterdir()] == [torchvision_weights_path(member).name]


def test_offline_and_absent_says_file_url_and_place(
    tmp_path: Path, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*args: object, **kwargs: object) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    member = Member("https://example.org/models/raft_small-01064c6d.pth")
    with pytest.raises(WeightsError, match="Name or service not known") as caught:
        fetch_torchvision_weights(member)
    assert "raft_small-01064c6d.pth" in caught.value.message
    assert member.url in caught.value.message
    assert str(hub / "raft_small-01064c6d.pth") in caught.value.hint
    assert caught.value.exit_code == 4


def test_a_silent_network_does_not_hang(tmp_path: Path, hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def silent(url: str, **options: Any) -> None:
        given.update(options)
        raise TimeoutError("timed out")

    monkeypatch.setattr("urllib.request.urlopen", silent)
    with pytest.raises(WeightsError, match="timed out"):
        fetch_torchvision_weights(Member("https://example.org/models/raft_small-01064c6d.pth"))
    assert 0 < given["timeout"] <= 60


def test_a_download_with_another_hash_is_thrown_away(tmp_path: Path, hub: Path) -> None:
    member = publish(tmp_path / "net", packed(), digest="0123abcd")
    with pytest.raises(WeightsError, match="expected a SHA-256 beginning with 0123abcd"):
        fetch_torchvision_weights(member)
    assert list(hub.iterdir()) == []


def test_an_interrupted_download_leaves_nothing(
    tmp_path: Path, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 0:
                raise ConnectionResetError("reset by peer")
            return super().read(10)

    monkeypatch.setattr("urllib.request.urlopen", lambda *args, **options: Broken(packed()))
    with pytest.raises(WeightsError, match="reset by peer"):
        fetch_torchvision_weights(Member("https://example.org/models/raft_small-01064c6d.pth"))
    assert list(hub.iterdir()) == []


def test_a_damaged_cache_is_refused_and_kept(tmp_path: Path, hub: Path) -> None:
    member = publish(tmp_path / "net", packed())
    path = torchvision_weights_path(member)
    path.parent.mkdir(parents=True)
    path.write_bytes(packed()[:-10])
    with pytest.raises(WeightsError, match="is damaged") as caught:
        fetch_torchvision_weights(member)
    assert str(path) in caught.value.message
    assert path.exists()


def test_a_cache_that_cannot_be_written(tmp_path: Path, hub: Path) -> None:
    member = publish(tmp_path / "net", packed())
    hub.parent.write_bytes(b"a file in the way")
    with pytest.raises(DeviceError, match="cannot write"):
        fetch_torchvision_weights(member)


def test_a_name_without_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pth").write_bytes(packed())
    with pytest.raises(WeightsError, match="does not end in a hash"):
        check_hash_in_name(tmp_path / "model.pth")
    with pytest.raises(WeightsError, match="cannot read"):
        check_hash_in_name(tmp_path / "absent-01064c6d.pth")


class Attack:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("/nowhere/attacked"),))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([1, 2], "expected named tensors, found list"),
        ({}, "expected named tensors, found nothing"),
        ({"a": 1}, "expected named tensors, found int 'a'"),
        ({1: torch.zeros(1)}, "expected named tensors"),
        ({"a": Attack()}, "reading it would run code"),
    ],
)
def test_other_content_is_refused(tmp_path: Path, hub: Path, content: object, words: str) -> None:
    member = publish(tmp_path / "net", packed(content))
    with pytest.raises(WeightsError, match=words) as caught:
        fetch_torchvision_weights(member)
    assert str(torchvision_weights_path(member)) in caught.value.message
    assert "\n" not in caught.value.message


def test_every_truncation_is_a_weights_error(tmp_path: Path, hub: Path) -> None:
    whole = packed()
    for length in [0, 1, 4, *range(20, len(whole), 97)]:
        member = publish(tmp_path / "net", whole[:length])
        with pytest.raises(WeightsError, match="is damaged or incomplete"):
            fetch_torchvision_weights(member)
