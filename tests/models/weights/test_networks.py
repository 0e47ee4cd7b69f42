"""The table of networks: each kind is described, built and read back by its line."""

from __future__ import annotations

from dataclasses import fields

import pytest

from vsodtool.errors import ConfigError
from vsodtool.models.architecture import KINDS, Architecture
from vsodtool.models.evidence.architecture import DENSIFIER, EvidenceArchitecture
from vsodtool.models.weights.networks import architecture_class, create_network, read_architecture


@pytest.mark.parametrize("kind", [*KINDS, DENSIFIER])
def test_each_kind_is_built_from_its_description(kind: str) -> None:
    cls = architecture_class(kind)
    widths = {field.name: 8 for field in fields(cls) if field.name.endswith("_width")}
    backbone = {} if kind == DENSIFIER else {"backbone": "mobilenet_v3_small"}
    architecture = cls(kind=kind, **widths, **backbone)  # type: ignore[arg-type]
    assert read_architecture(architecture.as_dict()) == architecture
    network = create_network(architecture)  # type: ignore[call-overload]
    assert network.architecture == architecture
    assert network.training


def test_a_description_without_a_kind_is_of_a_video_network() -> None:
    assert read_architecture({}) == Architecture()
    assert read_architecture({"kind": "densifier"}) == EvidenceArchitecture()


@pytest.mark.parametrize("kind", ["audio", "", "Video", "x" * 1000])
def test_other_kinds_are_refused(kind: str) -> None:
    with pytest.raises(ConfigError, match="kind: expected one of image, video, fgplg, densifier") as caught:
        read_architecture({"kind": kind})
    assert len(caught.value.message) < 200
    with pytest.raises(ConfigError):
        architecture_class(kind)
