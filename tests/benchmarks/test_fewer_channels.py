"""Channels that say nothing can go: the narrower network says the same."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import torch

from tests.models.evidence.test_network import told
from vsodtool.models.evidence.architecture import EvidenceArchitecture
from vsodtool.models.evidence.network import EvidenceNet


@torch.no_grad()
def test_what_says_nothing_goes(script: Callable[[str], ModuleType]) -> None:
    torch.manual_seed(0)
    teacher = EvidenceNet(EvidenceArchitecture(fine_width=16, middle_width=16, coarse_width=16)).eval()
    torch.nn.init.normal_(teacher.head.weight, std=0.5)
    fixed = ("backbone", "memory")
    for name, module in teacher.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d) and not name.startswith(fixed):
            module.weight[torch.randperm(16)[:8]] = 0
    heard, other = told(4, 96, 96), told(2, 48, 64)
    fitted: list[str] = []
    student = script("fewer_channels").narrowed(teacher, (8, 8, 8), [heard], fitted.append)
    assert student.architecture.widths == (8, 8, 8)
    assert fitted[-1] == "head: (4, 8, 1, 1)"
    guess = torch.logit(other.maps[:, -1:], eps=0.01)
    changed = (teacher(other) - guess).abs().mean()
    assert (student(other) - teacher(other)).abs().mean() < 0.1 * changed
