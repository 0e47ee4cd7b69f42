from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from vsodtool.errors import WeightsError
from vsodtool.media.fingerprint import file_sha256
from vsodtool.models.architecture import IMAGE, Architecture
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.entry import BUNDLED, EXTERNAL, FETCHED, FLOW, WeightsEntry, WeightsRegistry
from vsodtool.models.weights.networks import create_network
from vsodtool.pipelines.networks.save import save_network
from vsodtool.pipelines.networks.verify import DAMAGED, INTACT, NOT_FETCHED, verify_all, verify_weights

SMALL = Architecture(
    kind=IMAGE,
    backbone="mobilenet_v3_small",
    context_width=8,
    skip_width=4,
    refine_width=8,
    decoder_width=8,
)
HEADINGS = ("Data", "Licence", "Recipe", "Seed", "Scores")
CARD = "# tiny\n" + "".join(f"\n## {heading}\n\nnone\n" for heading in HEADINGS)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder like weights/, with one file and its card."""
    save_network(tmp_path / "tiny.safetensors", create_network(SMALL), Preprocessing(size=96))
    (tmp_path / "tiny.md").write_text(CARD)
    return tmp_path


@pytest.fixture
def entry(weights: Path) -> WeightsEntry:
    path = weights / "tiny.safetensors"
    return WeightsEntry(
        name="tiny",
        kind=IMAGE,
        origin=BUNDLED,
        summary="noise",
        file=path.name,
        sha256=file_sha256(path),
        size=path.stat().st_size,
        licence="MIT",
        source="https://example.org",
        architecture=SMALL,
        preprocessing=Preprocessing(size=96),
    )


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WeightsEntry:
    """What torchvision would fetch into an empty cache."""
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    return WeightsEntry(
        name="net",
        kind=FLOW,
        origin=FETCHED,
        summary="",
        file="net-01234567.pth",
        sha256="01234567",
        size=10,
        licence="",
        source="https://example.org/models/net-01234567.pth",
        obtain="run it once",
    )


def test_an_intact_bundled_file(weights: Path, entry: WeightsEntry) -> None:
    registry = WeightsRegistry((entry,), weights)
    (found,) = verify_all(registry=registry)
    assert found == verify_weights("tiny", registry=registry)
    assert (found.name, found.state, found.problem) == ("tiny", INTACT, "")
    assert found.sha256 == entry.sha256
    assert found.architecture == str(SMALL)
    assert found.parameters == sum(part.numel() for part in create_network(SMALL).parameters())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sha256": "0" * 64}, "wrong SHA-256"),
        ({"size": 3}, "size: the registry says 3, the file"),
        ({"kind": "video"}, "kind: the registry says video, the file image"),
        ({"architecture": replace(SMALL, decoder_width=4)}, "architecture: the registry says"),
        ({"preprocessing": Preprocessing()}, "preprocessing: the registry says"),
        ({"file": "gone.safetensors"}, "there is no weight file"),
        ({"name": "other"}, "other has no card"),
    ],
)
def test_an_entry_that_does_not_fit_its_file(
    weights: Path, entry: WeightsEntry, changes: dict[str, object], words: str
) -> None:
    wrong = replace(entry, **changes)  # type: ignore[arg-type]
    registry = WeightsRegistry((wrong,), weights)
    with pytest.raises(WeightsError, match=words):
        verify_weights(wrong.name, registry=registry)
    (found,) = verify_all(registry=registry)
    assert found.state == DAMAGED
    assert words in found.problem


def test_a_card_that_leaves_something_out(weights: Path, entry: WeightsEntry) -> None:
    (weights / "tiny.md").write_text(CARD.replace("## Seed", "Seed").replace("## Licence", "licence"))
    with pytest.raises(WeightsError, match=r"tiny\.md does not say its licence, seed"):
        verify_weights("tiny", registry=WeightsRegistry((entry,), weights))


def test_one_changed_byte_is_noticed(weights: Path, entry: WeightsEntry) -> None:
    path = weights / "tiny.safetensors"
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="wrong SHA-256"):
        verify_weights("tiny", registry=WeightsRegistry((entry,), weights))


def test_a_file_and_the_hash_that_someone_published(weights: Path) -> None:
    path = weights / "tiny.safetensors"
    digest = file_sha256(path)
    assert verify_weights(str(path), sha256=digest).sha256 == digest
    with pytest.raises(WeightsError, match="wrong SHA-256: expected abcd"):
        verify_weights(str(path), sha256="abcd")


def test_fetched_files(tmp_path: Path, fetched: WeightsEntry) -> None:
    registry = WeightsRegistry((fetched,))
    (found,) = verify_all(registry=registry)
    assert (found.state, found.sha256) == (NOT_FETCHED, "")
    with pytest.raises(WeightsError, match="'net' are not at") as caught:
        verify_weights("net", registry=registry)
    assert caught.value.hint == "run it once"
    cached = tmp_path / "hub" / "checkpoints" / fetched.file
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"something else")
    (found,) = verify_all(registry=registry)
    assert (found.state, found.path) == (DAMAGED, cached)
    assert "wrong SHA-256: expected 01234567" in found.problem
    right = WeightsRegistry((replace(fetched, sha256=file_sha256(cached)[:8]),))
    (found,) = verify_all(registry=right)
    assert (found.state, found.sha256) == (INTACT, file_sha256(cached))


def test_external_files_are_not_looked_for(entry: WeightsEntry) -> None:
    registry = WeightsRegistry((replace(entry, origin=EXTERNAL, obtain="get it there"),))
    assert verify_all(registry=registry) == []
    with pytest.raises(WeightsError, match="do not come with vsodtool") as caught:
        verify_weights("tiny", registry=registry)
    assert caught.value.hint == "get it there"
