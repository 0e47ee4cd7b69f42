"""Region similarity J: the intersection over union of two masks.

Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation", CVPR 2016,
section 5.1.
"""

from __future__ import annotations

import numpy as np

from vsodtool.metrics.arguments import BoolArray, require_mask_pair, without_void


def region_j(pred: BoolArray, truth: BoolArray, void: BoolArray | None = None) -> float:
    """Intersection over union.

    Args:
        pred: bool (H, W).
        truth: bool (H, W).
        void: bool (H, W), pixels that do not count; None = all count.

    Returns:
        J in [0, 1]; 1 where both masks are empty.

    Raises:
        DataError: not two bool masks of one size.
    """
    require_mask_pair(pred, truth)
    pred, truth = without_void(pred, truth, void)
    union = np.count_nonzero(pred | truth)
    return 1.0 if union == 0 else float(np.count_nonzero(pred & truth) / union)
