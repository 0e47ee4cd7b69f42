"""Names of precisions."""

from __future__ import annotations

import pytest
import torch

from tests.models.detector.test_detector import CPU
from vsodtool.errors import DeviceError, UsageError
from vsodtool.models.inference.precision import resolve_precision


def test_precisions_are_resolved_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_precision("auto", CPU) in {"fp32", "bf16"}
    assert resolve_precision("fp16", CPU) == "fp16"
    assert resolve_precision("auto", torch.device("mps")) == "fp32"
    with pytest.raises(UsageError, match="expected one of auto, fp32, bf16, fp16, found 'int8'"):
        resolve_precision("int8", CPU)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    with pytest.raises(DeviceError, match="does not compute in bf16"):
        resolve_precision("bf16", torch.device("cuda"))
