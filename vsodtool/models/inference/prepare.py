"""A network made ready for inference: the same function, several times as fast."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from vsodtool.models.rcrnet.decoder import Decoder, EnlargedDecoder


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


AnyNetwork = TypeVar("AnyNetwork", bound=nn.Module)


def prepare(network: AnyNetwork, device: torch.device, dtype: torch.dtype) -> AnyNetwork:
    """Fold, re-associate, lay out and convert a network, in place.

    Normalisation is folded into the convolutions, on CPUs the decoder is re-associated (`EnlargedDecoder`),
    weights are stored channels last. In float32 the logits stay within 1e-4 of the published ones.

    Args:
        network: any of the networks here; changed.
        device: that computes.
        dtype: of weights and inputs.
    """
    network.eval().requires_grad_(False)
    fold_batch_norm(network)
    # A GPU convolves at the full size faster than Python can go through tiles.
    decoder = getattr(network, "decoder", None)
    if device.type == "cpu" and isinstance(decoder, Decoder):
        network.decoder = EnlargedDecoder(decoder)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)
    return network.to(device, dtype)


@contextmanager
def exact_products(dtype: torch.dtype) -> Iterator[None]:
    """Inside, a GPU multiplies float32 as float32: by default cuDNN rounds the factors to TF32.

    cuDNN has one switch for all threads: the first that comes turns TF32 off, the last that leaves puts the
    switch back.
    """
    if dtype is not torch.float32 or not torch.cuda.is_available():
        yield
        return
    _EXACT.enter()
    try:
        yield
    finally:
        _EXACT.leave()


class _ExactProducts:
    """Counts who needs exact products."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before = False

    def enter(self) -> None:
        with self._lock:
            if self._users == 0:
                self._before = torch.backends.cudnn.allow_tf32
                torch.backends.cudnn.allow_tf32 = False
            self._users += 1

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                torch.backends.cudnn.allow_tf32 = self._before


_EXACT = _ExactProducts()
