from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
import torch

from vsodtool.checks import (
    check_flow,
    check_image,
    check_map,
    check_same_size,
    check_tensor,
    device_failure,
    resolve_device,
    resolve_workers,
    whole_number,
)
from vsodtool.errors import DeviceError, ShapeError, UsageError


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1), ("9" * 19, None), ("9" * 5000, None), ("", None)]
    + [(text, None) for text in ("-1", "+1", " 1", "1\n", "1_0", "1e3", "\u0663")],
)
def test_whole_numbers(text: str, number: int | None) -> None:
    assert whole_number(text) == number


def test_right_shapes_pass() -> None:
    check_image(torch.zeros(2, 3, 4, 5))
    check_flow(torch.zeros(1, 2, 1, 1))
    check_map(torch.zeros(1, 1, 4, 5, dtype=torch.float16))
    check_tensor(torch.zeros(1, 7, 4, 5))
    check_same_size(torch.zeros(1, 3, 4, 5), torch.zeros(1, 2, 4, 5))


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(3, 4, 5),
        torch.zeros(1, 2, 4, 5),
        torch.zeros(1, 3, 4, 5, dtype=torch.uint8),
        torch.zeros(0, 3, 4, 5),
        torch.zeros(1, 3, 0, 5),
    ],
)
def test_wrong_images_are_named(tensor: torch.Tensor) -> None:
    with pytest.raises(ShapeError, match=r"image_a: expected a floating \(B, 3, H, W\).*found torch"):
        check_image(tensor, "image_a")


def test_other_wrong_shapes() -> None:
    with pytest.raises(ShapeError, match=r"flow: expected a floating \(B, 2"):
        check_flow(torch.zeros(1, 3, 4, 5))
    with pytest.raises(ShapeError, match=r"map: expected a floating \(B, 1"):
        check_map(torch.zeros(1, 3, 4, 5))
    with pytest.raises(ShapeError, match=r"\(B, C, H, W\)"):
        check_tensor(torch.zeros(4, 5))


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 3, 5, 4)])
def test_different_sizes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="a and b: expected the same"):
        check_same_size(torch.zeros(1, 3, 4, 5), torch.zeros(shape), "a and b")


def machine(
    monkeypatch: pytest.MonkeyPatch,
    *,
    cuda: int = 0,
    mps: bool = False,
    capability: tuple[int, int] = (9, 0),
    built: Sequence[str] = ("sm_80", "sm_90"),
) -> None:
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: list(built))
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda number: capability)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


def test_auto_takes_what_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch)
    assert resolve_device("auto") == torch.device("cpu")
    machine(monkeypatch, mps=True)  # where much is missing: only by name
    assert resolve_device("auto") == torch.device("cpu")
    assert resolve_device("mps") == torch.device("mps")
    machine(monkeypatch, cuda=2)
    assert resolve_device("auto") == torch.device("cuda")
    assert resolve_device("cuda:1") == torch.device("cuda:1")
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    ("capability", "built", "computes"),
    [
        ((9, 0), ["sm_75", "sm_90"], True),
        ((8, 9), ["sm_80", "sm_90"], True),  # 8.9 runs code of 8.0
        ((6, 1), ["sm_75", "sm_90", "compute_90"], False),
        ((7, 0), ["sm_75", "sm_80"], False),
        ((12, 1), ["sm_90", "compute_90"], True),  # compiled when it begins
        ((12, 0), ["sm_90a", "sm_120"], True),
        ((10, 3), ["sm_90"], False),
        ((9, 4), ["gfx90a", "gfx942"], True),
        ((9, 0), [], True),
    ],
)
def test_auto_leaves_a_gpu_alone_that_torch_was_not_built_for(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], built: list[str], computes: bool
) -> None:
    machine(monkeypatch, cuda=1, capability=capability, built=built)
    assert resolve_device("auto") == torch.device("cuda" if computes else "cpu")
    assert resolve_device("cuda") == torch.device("cuda")  # by name it is not replaced


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (RuntimeError("MPS: Unsupported Border padding mode"), "MPS: Unsupported Border padding mode"),
        (
            NotImplementedError(
                "The operator 'aten::foo' is not currently implemented for the MPS device\nx"
            ),
            "The operator 'aten::foo' is not currently implemented for the MPS device",
        ),
        (
            RuntimeError("CUDA error: no kernel image is available for execution on the device\nCUDA kernel"),
            "CUDA error: no kernel image is available for execution on the device",
        ),
        (RuntimeError("The size of tensor a (3) must match"), None),
        (
            TypeError("Cannot convert a MPS Tensor to float64 dtype"),
            "Cannot convert a MPS Tensor to float64 dtype",
        ),
        (RuntimeError("CUDA error: device-side assert triggered"), None),  # a bug
        (ValueError("no kernel image"), None),
        (RuntimeError(), None),
    ],
)
def test_what_torch_says_of_a_gpu(error: Exception, found: str | None) -> None:
    assert device_failure(error) == found


@pytest.mark.parametrize(
    ("cuda", "name", "found"),
    [
        (0, "cuda", "no CUDA device"),
        (0, "cuda:0", "no CUDA device"),
        (1, "cuda:1", "1 CUDA device"),
        (0, "mps", "no Apple"),
    ],
)
def test_an_absent_device_is_refused(
    monkeypatch: pytest.MonkeyPatch, cuda: int, name: str, found: str
) -> None:
    machine(monkeypatch, cuda=cuda)
    with pytest.raises(DeviceError, match=found) as caught:
        resolve_device(name)
    assert caught.value.exit_code == 5
    assert f"'{name}'" in caught.value.message


@pytest.mark.parametrize("name", ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "mps:1", "CUDA"])
def test_an_unknown_name_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match="expected auto, cpu, cuda"):
        resolve_device(name)


def test_workers() -> None:
    assert resolve_workers(3) == 3
    assert 1 <= resolve_workers(0) <= (os.cpu_count() or 1)
