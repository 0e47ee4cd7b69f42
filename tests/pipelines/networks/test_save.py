"""What is saved comes back, and says what it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.pipelines.networks.test_load import SEEN, SMALL, saved, small
from vsodtool.media.fingerprint import file_sha256
from vsodtool.models.architecture import KINDS
from vsodtool.pipelines.networks.load import load_network


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_saved_comes_back(tmp_path: Path, kind: str) -> None:
    path = saved(tmp_path, kind)
    loaded = load_network(str(path), (kind,))
    assert loaded.architecture == loaded.network.architecture == replace(SMALL, kind=kind)
    assert loaded.preprocessing == SEEN
    assert (loaded.name, loaded.path, loaded.sha256) == (path.name, path, file_sha256(path))
    assert loaded.notices == []
    assert not loaded.network.training
    wanted = small(kind).state_dict()
    found = loaded.network.state_dict()
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_half_precision_is_computed_in_full_precision(tmp_path: Path) -> None:
    loaded = load_network(str(saved(tmp_path, half=True)))
    assert {parameter.dtype for parameter in loaded.network.parameters()} == {torch.float32}
    wanted = small().eval()
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert not torch.equal(loaded.network(images), wanted(images))
        torch.testing.assert_close(loaded.network(images), wanted(images), atol=0.02, rtol=0.02)
