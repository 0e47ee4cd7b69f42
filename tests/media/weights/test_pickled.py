"""Files of torch.save, in both of its formats; real exploits, which must not run."""

from __future__ import annotations

import argparse
import io
import os
import pickle
import zipfile
from collections import OrderedDict
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.damage import Damage, damages
from vsodtool.errors import WeightsError
from vsodtool.media.weights.files import read_weights
from vsodtool.media.weights.pickled import read_pickled

TENSORS = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.zeros(2)}
ZIP, LEGACY = True, False  # since PyTorch 1.6, and before (the authors' files)


def packed(content: object, zipped: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


class Exploit:
    """Unpickling it the usual way runs a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


@pytest.mark.parametrize("zipped", [ZIP, LEGACY])
@pytest.mark.parametrize(
    "content",
    [
        TENSORS,
        OrderedDict(TENSORS),
        {"state_dict": TENSORS, "epoch": 3, "best": 0.5},
        {"model": {"state_dict": TENSORS}},
        {"model_state_dict": TENSORS, "optimizer": {"state": {}, "param_groups": [{"lr": 1e-4}]}},
        {name: torch.nn.Parameter(tensor) for name, tensor in TENSORS.items()},
    ],
    ids=["plain", "ordered", "state_dict", "nested", "with optimizer", "parameters"],
)
def test_reads_tensors_and_takes_off_what_is_around_them(
    tmp_path: Path, content: object, zipped: bool
) -> None:
    (tmp_path / "w.pth").write_bytes(packed(content, zipped))
    tensors = read_pickled(tmp_path / "w.pth")
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert not any(tensor.requires_grad for tensor in tensors.values())


def exploits(folder: Path) -> dict[str, bytes]:
    """By kind, files that create a file beside them when they are unpickled the usual way."""
    command = f"echo > {folder / 'marker'}"
    within = {"layer.weight": torch.zeros(3), "extra": Exploit(command)}
    return {
        "zip": packed(within, ZIP),
        "legacy": packed(within, LEGACY),
        **{f"pickle {protocol}": pickle.dumps(Exploit(command), protocol) for protocol in range(6)},
    }


@pytest.mark.skipif(os.name != "posix", reason="the exploits are for a shell of POSIX")
def test_the_exploits_are_real(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    for kind, data in exploits(tmp_path).items():
        if kind in {"zip", "legacy"}:
            torch.load(io.BytesIO(data), weights_only=False)
        else:
            pickle.loads(data)
        assert marker.exists(), kind
        marker.unlink()


@pytest.mark.parametrize("kind", exploits(Path("f")))
def test_an_exploit_is_refused_and_never_run(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(exploits(tmp_path)[kind])
    with pytest.raises(WeightsError) as caught:
        read_weights(path)
    assert not (tmp_path / "marker").exists()
    assert caught.value.exit_code == 4
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    if kind not in {"pickle 0", "pickle 1"}:  # begin like any text: no weight file at all
        assert f"is refused: reading it would run code ({os.name}.system)" in caught.value.message
        assert "nothing was run" in caught.value.message


@pytest.mark.parametrize("zipped", [ZIP, LEGACY])
@pytest.mark.parametrize(
    "value",
    [
        np.float64(0.9),
        np.int32(3),
        np.bool_(True),
        np.array([1.0, 2.0]),
        np.array(["text"], dtype=object),
        argparse.Namespace(lr=1e-4),
        Path("runs"),
        datetime(2026, 1, 1),
        {1, 2},
        1j,
        b"bytes",
        Decimal("0.9"),
        torch.float32,
    ],
    ids=lambda value: type(value).__name__,
)
def test_plain_data_beside_the_tensors_are_no_reason_to_refuse_them(
    tmp_path: Path, value: object, zipped: bool
) -> None:
    """Seen at deepmodeling/deepmd-kit#4147, MIC-DKFZ/nnUNet#2681: best scores as NumPy numbers."""
    (tmp_path / "w.pth").write_bytes(packed({"state_dict": TENSORS, "best": value}, zipped))
    tensors = read_pickled(tmp_path / "w.pth")
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


def test_a_refusal_says_what_was_found(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save({"model": TENSORS, "best": np.float64(0.9), "run": Exploit("true")}, path)
    with pytest.raises(WeightsError) as caught:
        read_pickled(path)
    assert f"would run code ({os.name}.system);" in caught.value.message  # and NumPy's names are not among it
    torch.save({"best": np.float64(0.9)}, path)
    with pytest.raises(WeightsError, match="expected named tensors, found scalar 'best'"):
        read_pickled(path)
    torch.save(TENSORS, path, pickle_protocol=4)
    with pytest.raises(WeightsError, match=r"safe reader does not read its pickle \(Unsupported operand"):
        read_pickled(path)
    # The second use of a module's name comes from the memo.
    path.write_bytes(pickle.dumps([Exploit("true"), Fraction(1), Fraction], 4))
    with pytest.raises(WeightsError, match=rf"would run code \({os.name}\.system\);"):
        read_pickled(path)


def test_turned_bits_in_a_zip_are_found_though_pytorch_does_not_look(tmp_path: Path) -> None:
    data = bytearray(packed(TENSORS, ZIP))
    place = data.index(TENSORS["layer.weight"].numpy().tobytes())
    data[place + 8] ^= 0x40
    (tmp_path / "w.pth").write_bytes(data)
    assert torch.load(tmp_path / "w.pth", weights_only=True).keys() == TENSORS.keys()
    with pytest.raises(WeightsError, match=r"damaged or incomplete: wrong checksum of \S+"):
        read_pickled(tmp_path / "w.pth")


def test_a_zip_that_unpacks_to_far_more_is_refused_unread(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(50_000_000))
    with pytest.raises(WeightsError, match="claim to unpack to 50000000"):
        read_pickled(tmp_path / "w.pth")


@settings(max_examples=20, deadline=None)
@given(damage=damages(), zipped=st.booleans())
def test_a_damaged_file_is_read_or_refused(
    damage: Damage, zipped: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("pth") / "w.pth"
    path.write_bytes(damage.of(packed({"state_dict": TENSORS, "best": np.float64(1)}, zipped)))
    with suppress(WeightsError):
        read_weights(path)


def test_a_whole_pickled_network_is_code_too(tmp_path: Path) -> None:
    torch.save(torch.nn.Sequential(torch.nn.Linear(2, 2)), tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"would run code .*torch\.nn\.modules\.") as caught:
        read_pickled(tmp_path / "w.pth")
    assert "state_dict()" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ([1, 2], "found list"),
        ({}, "found nothing"),
        ({"state_dict": {}}, "found nothing"),
        ({"a": 1}, "found int 'a'"),
        ({"layer": [torch.zeros(1)]}, "found list 'layer'"),
        ({1: torch.zeros(1)}, "found Tensor '1'"),
        (torch.zeros(3), "found Tensor"),
    ],
)
def test_other_content_is_refused(tmp_path: Path, content: object, found: str) -> None:
    (tmp_path / "w.pth").write_bytes(packed(content, ZIP))
    with pytest.raises(WeightsError, match=f"expected named tensors, {found}"):
        read_pickled(tmp_path / "w.pth")


@pytest.mark.parametrize("zipped", [ZIP, LEGACY])
def test_every_truncation_is_a_weights_error(tmp_path: Path, zipped: bool) -> None:
    whole = packed(TENSORS, zipped)
    path = tmp_path / "w.pth"
    for length in [1, 2, 5, *range(20, len(whole), 61), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(WeightsError, match=r"w\.pth is damaged or incomplete: \S"):
            read_pickled(path)
