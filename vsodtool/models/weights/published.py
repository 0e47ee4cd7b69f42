"""Names in the authors' checkpoints -> names here. Facts from the published files."""

from __future__ import annotations

import re
from collections.abc import Iterable

from vsodtool.models.architecture import FGPLG, IMAGE, VIDEO

# The whole classifier was saved, and in the FGPLG file a FlowNet2 too; neither is part of these networks.
_IGNORED = re.compile(r"^(flownet\.|backbone\.resnet\.fc\.)")

_RENAMED = (
    (re.compile(r"^backbone\.resnet\."), r"backbone."),
    (re.compile(r"^backbone\.aspp\.imagepool\.conv\."), r"aspp.pool."),
    (re.compile(r"^backbone\.aspp\.stages\.c(\d)\."), r"aspp.branches.\1."),
    (re.compile(r"^backbone\.aspp\.fire\.conv\."), r"aspp.project."),
    (re.compile(r"^backbone\.decoder\.conv1\."), r"decoder.hidden."),
    (re.compile(r"^backbone\.decoder\.conv2\."), r"decoder.logit."),
    (re.compile(r"^backbone\.refinement1\.skip\."), r"skips.0."),
    (re.compile(r"^backbone\.refinement1\.refine\."), r"refinements.0."),
    (re.compile(r"^backbone\.refinement2\.skip\."), r"skips.1."),
    (re.compile(r"^backbone\.refinement2\.refine\."), r"refinements.1."),
    (re.compile(r"^backbone\.refinement3\.skip\."), r"skips.2."),
    (re.compile(r"^backbone\.refinement3\.refine\."), r"refinements.2."),
    (re.compile(r"^convgru_forward\."), r"ner.forward_gru."),
    (re.compile(r"^convgru_backward\."), r"ner.backward_gru."),
    (re.compile(r"^bidirection_conv\."), r"ner.join."),
    (re.compile(r"^non_local_block\."), r"ner.before."),
    (re.compile(r"^non_local_block2\."), r"ner.after."),
)


def is_published(names: Iterable[str]) -> bool:
    """Whether these are the names of a checkpoint of the authors."""
    return any(name.startswith("backbone.resnet.") for name in names)


def is_ignored(name: str) -> bool:
    """Whether a published tensor is part of no network here: FlowNet2, and the classifier of the backbone."""
    return _IGNORED.match(name) is not None


def renamed(name: str) -> str:
    """The name here of a published tensor; one that is not known stays as it is."""
    for pattern, replacement in _RENAMED:
        changed, count = pattern.subn(replacement, name)
        if count:
            return changed
    return name


def published_kind(names: Iterable[str], channels_in: int) -> str:
    """Which of the authors' three networks has these names and so many input channels."""
    if channels_in == 7:
        return FGPLG
    return VIDEO if any(name.startswith("convgru_") for name in names) else IMAGE
