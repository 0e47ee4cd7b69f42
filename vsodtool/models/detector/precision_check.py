"""Whether a network may compute in a shorter number format: asked of the network itself, before use."""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.models.inference.precision import DTYPES
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.models.rcrnet.video import VideoRcrNet
from vsodtool.models.u2net.network import U2Net
from vsodtool.ops.motion.layout import CHANNELS, REDUCED
from vsodtool.ops.motion.maps import enlarge_maps

TOLERANCE = 1.5 / 255  # on the check images; in other clips the worst of more pixels is up to 2/255
# The noise alone, of this size, comes first: who is so far off on it is no better on more pixels. The
# networks that come along are off by 18 to 83 of 255, and so are asked for a fifth of the CPU time.
_GLANCE, _HOPELESS = 160, 4 * TOLERANCE


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
        network: of kind image, video or u2net, prepared in float32 (`inference.prepare`); not changed.
        preprocessing: what its weights were trained with.
        device: that will compute, where the network is.
        precision: bf16 or fp16.
    """
    short = copy.deepcopy(network).to(DTYPES[precision])

    def difference(size: int, pictures: int) -> float:
        images = preprocessing.normalise(check_images(size))
        if network.architecture.motion_input:
            images = torch.cat((images, enlarge_maps(check_motion(size), size)), dim=1)
        exact, rounded = (_maps(each, images[:pictures].to(device)) for each in (network, short))
        return float((exact - rounded).abs().max())

    if preprocessing.size > _GLANCE and difference(_GLANCE, 1) > _HOPELESS:
        return False
    return difference(preprocessing.size, 2) <= TOLERANCE


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


def _maps(network: RcrNet | U2Net, images: Tensor) -> Tensor:
    values = images.to(next(network.parameters()).dtype)
    logits = network(values[:, None]) if isinstance(network, VideoRcrNet) else network(values)
    return torch.sigmoid(logits.float())
