from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
import torch

from vsodtool.errors import WeightsError
from vsodtool.media.weights.files import read_weights
from vsodtool.media.weights.safetensors_files import write_weights

TENSORS = {"a": torch.arange(6.0), "b": torch.tensor(3)}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 98765\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "w.safetensors"


def test_the_content_decides_not_the_suffix(tmp_path: Path) -> None:
    write_weights(tmp_path / "w.pth", TENSORS, {"x": "y"})
    torch.save(TENSORS, tmp_path / "w.safetensors")
    for name, metadata in (("w.pth", {"x": "y"}), ("w.safetensors", {})):
        file = read_weights(tmp_path / name)
        assert file.path == tmp_path / name
        assert file.metadata == metadata
        assert file.sha256 == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        assert all(torch.equal(file.tensors[key], TENSORS[key]) for key in TENSORS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (POINTER, "is a Git LFS pointer"),
        (b"<!DOCTYPE html>\n<html>quota exceeded</html>", "is a web page"),
        (b"\n <HTML><body>", "is a web page"),
        (b"these are no weights\n", "is a text file"),
        ("Gewichte, später\n".encode() * 100, "is a text file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "is neither a safetensors file nor one of torch.save"),
        (bytes(4000), "is neither"),
        (b"\xff" * 8 + b"{", "is neither"),
        (b"PK\x03\x04 and no end", "is damaged or incomplete: its end is missing"),
        (b"\x10\0\0\0\0\0\0\0{}", "is damaged or incomplete"),
        (b"\x80\x02", "is damaged or incomplete"),
    ],
)
def test_what_is_no_weight_file(path: Path, content: bytes, words: str) -> None:
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=words) as caught:
        read_weights(path)
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 4


def test_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="there is no weight file"):
        read_weights(tmp_path / "none.pth")
    with pytest.raises(WeightsError, match="is a folder"):
        read_weights(tmp_path)


def test_of_the_folder_of_a_run_the_best_weights_are_named(tmp_path: Path) -> None:
    for name in ("final.safetensors", "best.safetensors", "last.pt"):
        (tmp_path / name).touch()
    with pytest.raises(WeightsError, match="is a folder") as caught:
        read_weights(tmp_path)
    assert caught.value.hint == f"name the file inside it: {tmp_path / 'best.safetensors'}"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(path: Path) -> None:
    write_weights(path, TENSORS, {})
    path.chmod(0)
    with pytest.raises(WeightsError, match="cannot read"):
        read_weights(path)


def test_the_hash_or_its_begin(path: Path) -> None:
    write_weights(path, TENSORS, {})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for right in (digest, digest.upper(), digest[:8]):
        assert read_weights(path, sha256=right).sha256 == digest
    wrong = "0" * 64
    with pytest.raises(WeightsError, match=f"wrong SHA-256: expected {wrong}, found {digest}"):
        read_weights(path, sha256=wrong)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_values_that_are_not_finite(path: Path, value: float, dtype: torch.dtype) -> None:
    bad = torch.zeros(2, 5, dtype=dtype)
    bad[1, 2] = value
    write_weights(path, {**TENSORS, "bad": bad}, {})
    with pytest.raises(WeightsError, match="1 of 3 tensors hold values that are not finite, first 'bad'"):
        read_weights(path)


def test_the_largest_finite_values_and_empty_tensors_pass(path: Path) -> None:
    write_weights(path, {"a": torch.full((3,), torch.finfo(torch.float32).max), "b": torch.zeros(0)}, {})
    assert read_weights(path).tensors.keys() == {"a", "b"}


def test_no_tensors(path: Path) -> None:
    write_weights(path, {}, {"a": "b"})
    with pytest.raises(WeightsError, match="holds no tensors"):
        read_weights(path)


@pytest.mark.parametrize(
    "odd",
    [
        torch.zeros(3).to_sparse(),
        torch.zeros(3, dtype=torch.complex64),
        torch.zeros(1).expand(10**15),  # four bytes that would become four petabytes
        torch.zeros(3, device="meta"),
    ],
    ids=["sparse", "complex", "huge", "meta"],
)
def test_tensors_that_are_not_ordinary(path: Path, odd: torch.Tensor) -> None:
    torch.save({**TENSORS, "odd": odd}, path)
    with pytest.raises(WeightsError, match="'odd' is no ordinary tensor"):
        read_weights(path)


def test_a_header_whose_length_looks_like_a_pickle(path: Path) -> None:
    begins = set()
    for filler in range(0, 256, 8):
        write_weights(path, TENSORS, {"filler": "x" * filler})
        begins.add(path.read_bytes()[:1])
        assert read_weights(path).metadata == {"filler": "x" * filler}
    assert b"\x80" in begins
