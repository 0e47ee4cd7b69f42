from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from safetensors.torch import load_file, save_file

from tests.damage import Damage, damages
from vsodtool.errors import DeviceError, WeightsError
from vsodtool.media.weights.files import read_weights
from vsodtool.media.weights.safetensors_files import read_safetensors, write_weights

TENSORS = {
    "float": torch.arange(6.0).reshape(2, 3),
    "wide": torch.tensor([1.5, -2.5], dtype=torch.float64),
    "half": torch.tensor([0.5, 65504.0], dtype=torch.float16),
    "brain": torch.tensor([3.0], dtype=torch.bfloat16),
    "count": torch.tensor(7),
    "bytes": torch.tensor([1, 255, 3], dtype=torch.uint8),
    "truth": torch.tensor([True, False]),
    "nothing": torch.zeros(0, 4),
    "größe": torch.ones(1, 1, 3),
}
METADATA = {"b": 'ü \n "quoted"', "a": "1", "c": "", "d": json.dumps({"x": [1]})}


def test_what_is_written_is_read_by_us_and_by_the_package(tmp_path: Path) -> None:
    path = tmp_path / "new" / "w.safetensors"
    write_weights(path, TENSORS, METADATA)
    tensors, metadata = read_safetensors(path)
    assert metadata == METADATA
    for read in (tensors, load_file(path)):
        assert read.keys() == TENSORS.keys()
        for name, tensor in TENSORS.items():
            assert read[name].dtype == tensor.dtype
            assert read[name].shape == tensor.shape
            assert torch.equal(read[name], tensor)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_files_of_the_package_are_read(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "w.safetensors")
    tensors, metadata = read_safetensors(tmp_path / "w.safetensors")
    assert metadata == {}
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


def test_the_same_content_is_the_same_file_whatever_its_order(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    write_weights(first, TENSORS, METADATA)
    write_weights(second, dict(reversed(TENSORS.items())), dict(reversed(METADATA.items())))
    assert first.read_bytes() == second.read_bytes()


def test_values_are_aligned(tmp_path: Path) -> None:
    write_weights(tmp_path / "w", TENSORS, METADATA)
    data = (tmp_path / "w").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert length % 8 == 0
    for name, tensor in TENSORS.items():
        assert header[name]["data_offsets"][0] % tensor.element_size() == 0


def test_tensors_that_are_not_contiguous(tmp_path: Path) -> None:
    turned = torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1)
    write_weights(tmp_path / "w", {"a": turned, "b": torch.ones(3, requires_grad=True)}, {})
    tensors, _ = read_safetensors(tmp_path / "w")
    assert torch.equal(tensors["a"], turned)
    assert not tensors["b"].requires_grad


def test_half_rounds_floats_of_32_bits_and_nothing_else(tmp_path: Path) -> None:
    tensors = {**TENSORS, "third": torch.tensor([1 / 3])}
    write_weights(tmp_path / "w", tensors, {}, half=True)
    read, _ = read_safetensors(tmp_path / "w")
    assert read["float"].dtype is read["third"].dtype is torch.float16
    assert read["third"].item() == pytest.approx(1 / 3, rel=2**-11)
    for name in ("wide", "brain", "count", "bytes", "truth"):
        assert read[name].dtype == TENSORS[name].dtype


@pytest.mark.parametrize(
    ("tensor", "half", "words"),
    [
        (torch.tensor([1.0, 1e5]), True, "a: 1e\\+05 does not fit into half precision"),
        (torch.tensor([1j]), False, "a: values of type torch.complex64 cannot be stored"),
    ],
)
def test_what_cannot_be_stored_leaves_nothing(
    tmp_path: Path, tensor: torch.Tensor, half: bool, words: str
) -> None:
    with pytest.raises(WeightsError, match=words):
        write_weights(tmp_path / "w", {"a": tensor}, {}, half=half)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DeviceError, match="cannot write"):
        write_weights(tmp_path / "file" / "w", TENSORS, {})


def test_every_truncation_is_a_weights_error(tmp_path: Path) -> None:
    write_weights(tmp_path / "w", TENSORS, METADATA)
    whole = (tmp_path / "w").read_bytes()
    for length in [0, 1, 7, 8, 9, *range(20, len(whole), 53), len(whole) - 1]:
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(WeightsError, match="cut is damaged or incomplete"):
            read_safetensors(tmp_path / "cut")


def test_a_file_that_shrinks_later_changes_nothing_that_was_read(tmp_path: Path) -> None:
    write_weights(tmp_path / "w", {"a": torch.arange(100_000.0)}, {})
    tensors, _ = read_safetensors(tmp_path / "w")
    (tmp_path / "w").write_bytes(b"")
    assert torch.equal(tensors["a"], torch.arange(100_000.0))


@pytest.mark.parametrize(
    "header",
    [
        {"w": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
        {"w": {"dtype": "F32", "shape": [1 << 62, 1 << 62], "data_offsets": [0, 4]}},
        {"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 1 << 62]}},
        {"w": {"dtype": "F32", "shape": [1.5], "data_offsets": [0, 4]}},
        {"w": {"dtype": "X9", "shape": [1], "data_offsets": [0, 4]}},
        {"w": {"dtype": "F32", "shape": "1", "data_offsets": [0, 4]}},
        {"w": [1]},
        {"__metadata__": {"architecture": 1}},
        {},
    ],
    ids=str,
)
def test_absurd_headers_are_refused(tmp_path: Path, header: object) -> None:
    text = json.dumps(header).encode()
    (tmp_path / "w.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(4))
    with pytest.raises(WeightsError, match=r"w\.safetensors is damaged or incomplete: \S") as caught:
        read_safetensors(tmp_path / "w.safetensors")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("text", [b'{"a":' * 100_000, b'{"a":1e999}', b'{"a":' + b"9" * 5000 + b"}", b"{"])
def test_headers_that_are_no_json_of_tensors_are_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "w.safetensors").write_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises(WeightsError, match="is damaged or incomplete"):
        read_weights(tmp_path / "w.safetensors")


@settings(max_examples=20, deadline=None)
@given(damage=damages())
def test_a_damaged_file_is_read_or_refused(damage: Damage, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("safetensors") / "w.safetensors"
    write_weights(path, TENSORS, METADATA)
    path.write_bytes(damage.of(path.read_bytes()))
    with suppress(WeightsError):
        read_weights(path)
