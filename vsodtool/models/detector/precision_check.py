"""Whether a network may compute in a shorter number format: asked of the network itself, before use."""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.models.inference.precision import DTYPES
from vsodtool.models.inference.prepare import prepare
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.models.rcrnet.video import VideoRcrNet
from vsodtool.models.u2net.network import U2Net
from vsodtool.ops.motion.layout import CHANNELS, REDUCED
from vsodtool.ops.motion.maps import enlarge_maps

TOLERANCE = 1.5 / 255  # on the check images; in other clips the worst of more pixels is up to 2/255


@torch.inference_mode()
def agrees_with_fp32(
    network: RcrNet | U2Net, preprocessing: Preprocessing, device: torch.device, precision: str
) -> bool:
    """Whether no map of the check images changes by more than TOLERANCE against float32.

    The check images are hard on purpose: noise, and a texture of high contrast, at the size that the network
    sees. Rounding errors that are alike everywhere add up in the mean over all positions that the non-local
    block takes; on natural frames they hardly do. With the weights of tests/data/golden.npz, RCRNet+NER at
    448 x 448 differs by 2.8/255 on noise and by 0.5/255 on frames of DAVIS, and so computes in float32.

    Args:
        network: of kind image, video or u2net, in float32; not changed.
        preprocessing: what its weights were trained with.
        device: that will compute.
        precision: bf16 or fp16.
    """
    images = preprocessing.normalise(check_images(preprocessing.size))
    if network.architecture.motion_input:
        images = torch.cat(
            (images, enlarge_maps(check_motion(preprocessing.size), preprocessing.size)), dim=1
        )
    exact, short = (_maps(network, images, device, DTYPES[name]) for name in ("fp32", precision))
    return bool((exact - short).abs().max() <= TOLERANCE)


def check_images(size: int) -> Tensor:
    """Two images in [0, 1], always the same, float32 (2, 3, size, size): noise, and a coarse texture."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(1, 3, size, size, generator=generator)
    seeds = torch.rand(1, 3, 8, 8, generator=generator).round()
    texture = functional.interpolate(seeds, size=(size, size), mode="bilinear", align_corners=False)
    return torch.cat((noise, texture))


def check_motion(size: int) -> Tensor:
    """Motion maps of the check images, within the range of real ones: noise, and large patches."""
    generator = torch.Generator().manual_seed(1)
    shape = (1, CHANNELS, size // REDUCED, size // REDUCED)
    noise = torch.randn(shape, generator=generator).clamp_(-3, 3)
    seeds = torch.randn(1, CHANNELS, 8, 8, generator=generator).clamp_(-3, 3)
    return torch.cat((noise, functional.interpolate(seeds, size=shape[-2:], mode="nearest")))


def _maps(network: RcrNet | U2Net, images: Tensor, device: torch.device, dtype: torch.dtype) -> Tensor:
    ready = prepare(copy.deepcopy(network), device, dtype)
    values = images.to(device, dtype)
    logits = ready(values[:, None]) if isinstance(network, VideoRcrNet) else ready(values)
    return torch.sigmoid(logits.float()).cpu()
