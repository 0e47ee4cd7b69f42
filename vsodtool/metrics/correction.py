"""Human Correction Effort: how many clicks an annotator needs to turn a predicted mask into the true one.

Qin et al., "Highly Accurate Dichotomous Image Segmentation", ECCV 2022, section 4. Errors along the outline
that are thinner than the annotator would mind are forgiven; the rest is counted as control points of polygons
where an error touches right pixels, and as one click for each error that stands alone.
"""

from __future__ import annotations

from vsodtool.metrics.arguments import BoolArray, require_mask_pair
from vsodtool.metrics.contours import contours
from vsodtool.metrics.morphology import dilate, erode
from vsodtool.metrics.polyline import Points, control_points
from vsodtool.metrics.skeleton import skeleton


def human_correction_effort(pred: BoolArray, truth: BoolArray, relax: int = 5, tolerance: float = 2.0) -> int:
    """Clicks needed to correct a mask.

    Args:
        pred: bool (H, W); the benchmark takes (stretched) prediction > 0.5.
        truth: bool (H, W).
        relax: pixels by which errors along the outline are forgiven.
        tolerance: greatest distance of the polygons from the outlines, in pixels.

    Returns:
        Number of clicks, 0 where nothing is to correct. Equal to `pysodmetrics` with OpenCV 4.13 or newer;
        an older one simplifies lines differently.

    Raises:
        DataError: not two bool masks of one size.
    """
    require_mask_pair(pred, truth)
    hit = pred & truth
    core = pred | truth
    for _ in range(relax):
        core = erode(core)
    added = _serious(pred & ~truth, core, ~truth, relax)
    missed = _serious(truth & ~pred, core, ~pred, relax)
    missed |= skeleton(truth) & ~hit  # thin parts of the object are never forgiven
    return _clicks(added, hit | missed, tolerance) + _clicks(missed, ~(hit | added | missed), tolerance)


def _serious(error: BoolArray, core: BoolArray, allowed: BoolArray, relax: int) -> BoolArray:
    """The parts of an error that reach into the core, grown back to their size there."""
    kept = error & core
    for _ in range(relax):
        kept = dilate(kept) & allowed
    return kept & error


def _clicks(error: BoolArray, beside: BoolArray, tolerance: float) -> int:
    """Control points of the outlines that lie on `beside`, and one for each part that has none there."""
    if not error.any():
        return 0
    near = dilate(beside)
    found = contours(error)
    # The outside of a part first, then its holes from the last to the first: a pixel that lies on two borders
    # is counted on the first of them, and this is the order of the reference.
    ordered = [c for c in found if not c.hole] + [c for c in reversed(found) if c.hole]
    counted: set[tuple[int, int]] = set()
    clicks, alone = 0, {c.part for c in found}
    for contour in ordered:
        lines = _lines(contour.points, near, counted)
        if lines:
            alone.discard(contour.part)
        clicks += sum(control_points(line, tolerance) for line in lines)
    return clicks + len(alone)


def _lines(points: Points, near: BoolArray, counted: set[tuple[int, int]]) -> list[Points]:
    """The stretches of a border that are near and not yet counted."""
    lines: list[Points] = []
    open_ = False
    for point in points:
        if not near[point] or point in counted:
            open_ = False
            continue
        if not open_:
            lines.append([])
            open_ = True
        lines[-1].append(point)
        counted.add(point)
    if len(lines) > 1 and _adjacent(lines[0][0], lines[-1][-1]):
        # One stretch, cut by the start of the border. The reference joins its halves with the first one
        # reversed.
        lines[-1] += lines.pop(0)[::-1]
    return lines


def _adjacent(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1
