"""Batch normalisation folded into the convolution before it: the same function, one pass less."""

from __future__ import annotations

from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norm(network: nn.Module) -> int:
    """Fold every BatchNorm2d that directly follows a Conv2d into it, in place; for inference only.

    Modules register their parts in the order in which they call them; that is what "follows" means here.

    Args:
        network: in eval mode; changed.

    Returns:
        The number of layers folded.
    """
    folded = 0
    for parent in list(network.modules()):
        for (name, convolution), (next_name, norm) in pairwise(list(parent.named_children())):
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(convolution, norm))
                setattr(parent, next_name, nn.Identity())
                folded += 1
    return folded
