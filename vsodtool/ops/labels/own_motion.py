"""What comes out from behind: the motion of each object, continued to where another one hid it on the way.

Adjacent flow cannot follow a pixel that something else covers for a while: it goes on with what covers it,
and so does the label. What is behind goes its own way, which its visible pixels tell.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vsodtool.ops.boxes import Box, bounding_box
from vsodtool.ops.confidence import owner_probabilities
from vsodtool.ops.fill import push_pull
from vsodtool.ops.labels.photometric import photometric_error
from vsodtool.ops.warp import sample

# Chosen on two pairs of davis-train: benchmarks/TRIED.md, "Behind another object".
FOLLOWED = 0.95  # consistency above which a pixel was followed all the way, and tells how its owner moves
BETTER = 1 / 255  # difference of colour by which the other way must look more alike
BLUR = 2.0  # sigma, in pixels, of the window in which looks are compared
_WINDOW = math.ceil(2 * BLUR)  # pixels from its middle to its end
OWNED = 0.5  # soft labels above this are an owner's


class Known(NamedTuple):
    """A labelled frame, and what adjacent flows carried of it to a target, on a box of that.

    Attributes:
        image: the labelled frame (1, 3, H, W) in [0, 1], in the light of the target.
        labels: of its objects (1, O, H, W), 0 or 1.
        carried: these in the target (1, O, h, w) in [0, 1].
        consistency: of the adjacent flows on the way (1, 1, h, w) in [0, 1].
        origin: (row, column) of the box in the frame.
    """

    image: Tensor
    labels: Tensor
    carried: Tensor
    consistency: Tensor
    origin: tuple[int, int]


def own_motion(flow: Tensor, image: Tensor, known: Known) -> tuple[Tensor, Tensor]:
    """A flow to a labelled frame, changed where following failed and an owner's own motion looks more alike.

    The motion of each object, and of the background, is that of its followed pixels, continued to all others
    by push-pull. A pixel takes it if it leads to that owner.

    Args:
        flow: from the target to the labelled frame (1, 2, h, w) in pixels.
        image: the target on its box (1, 3, h, w) in [0, 1].
        known: of the labelled frame.

    Returns:
        The flow, and where it was changed, bool (1, 1, h, w).
    """
    lost = known.consistency < FOLLOWED
    changed = torch.zeros_like(lost)
    box = bounding_box(lost, 0.5)
    if box is None:
        return flow, changed
    error = _error(flow, image, known, box)
    here, there = owner_probabilities(known.carried), owner_probabilities(known.labels)
    origin = (known.origin[0] + box.top, known.origin[1] + box.left)
    result = flow.clone()
    for number in range(here.shape[1]):
        followed = ((here[:, number : number + 1] > OWNED) & ~lost).float()
        if not bool(followed.any()):
            continue
        own = push_pull(flow * followed, followed)
        owner = sample(there[:, number : number + 1], box.crop(own), origin=origin)
        possible = box.crop(lost) & (owner > OWNED)
        part = bounding_box(possible, 0.5)
        if part is None:
            continue
        inside = part.shift(box.top, box.left)
        miss, least = _error(own, image, known, inside), part.crop(error)
        taken = part.crop(possible) & (miss + BETTER < least)
        least.copy_(torch.where(taken, miss, least))
        view = inside.crop(result)
        view.copy_(torch.where(taken, inside.crop(own), view))
        inside.crop(changed).logical_or_(taken)
    return result, changed


def _error(flow: Tensor, image: Tensor, known: Known, box: Box) -> Tensor:
    """How little a box of the target looks like that to which a flow leads (1, 1, *box.size)."""
    around = box.grow(_WINDOW, 0.0, (image.shape[-2], image.shape[-1]))
    origin = (known.origin[0] + around.top, known.origin[1] + around.left)
    view = sample(known.image, around.crop(flow), origin=origin)
    error = photometric_error(around.crop(image), view, blur=BLUR)
    return box.shift(-around.top, -around.left).crop(error)
