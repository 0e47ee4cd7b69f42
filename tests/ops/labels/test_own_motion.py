"""Where following failed, each owner's own motion brings back what it had."""

from __future__ import annotations

import pytest
import torch

from vsodtool.ops.labels.own_motion import Known, own_motion
from vsodtool.ops.warp import sample

SIZE = (40, 56)
STEPS = {0: (0, 0), 1: (3, 0), 2: (-2, 1)}  # (right, down) of the background and two objects
PLACES = {1: (slice(8, 32), slice(10, 26)), 2: (slice(6, 34), slice(34, 46))}


def scene() -> tuple[torch.Tensor, torch.Tensor, Known]:
    """A labelled frame of textured owners, the true flow to it, and the target that this makes.

    Background that an object hides in the labelled frame could not be followed there.
    """
    random = torch.Generator().manual_seed(0)
    labelled = torch.rand(1, 3, *SIZE, generator=random)
    here, flow = torch.zeros(1, 2, *SIZE), torch.zeros(1, 2, *SIZE)
    there = torch.zeros(1, 2, *SIZE)
    for number, (rows, columns) in PLACES.items():
        right, down = STEPS[number]
        here[0, number - 1, rows, columns] = 1
        moved = slice(rows.start + down, rows.stop + down), slice(columns.start + right, columns.stop + right)
        there[0, number - 1][moved] = 1
        flow[0, :, rows, columns] = torch.tensor(STEPS[number]).view(2, 1, 1).float()
    hidden = (sample(there, flow) > 0.5) != (here > 0.5)
    consistency = 1 - hidden.any(dim=1, keepdim=True).float()
    return sample(labelled, flow), flow, Known(labelled, there, here, consistency, (0, 0))


# What is lost: a strip of each owner, at its border.
LOST = {1: (slice(8, 32), slice(20, 26)), 2: (slice(6, 34), slice(34, 38)), 0: (slice(10, 30), slice(1, 8))}


@pytest.mark.parametrize("owner", [0, 1, 2])
def test_what_was_lost_is_found_where_its_owner_went(owner: int) -> None:
    image, flow, known = scene()
    wrong, consistency = flow.clone(), known.consistency.clone()
    wrong[(0, slice(None), *LOST[owner])] += 5
    consistency[(0, 0, *LOST[owner])] = 0.1
    carried = sample(known.labels, wrong)
    found, changed = own_motion(wrong, image, known._replace(carried=carried, consistency=consistency))
    inside = torch.zeros(SIZE, dtype=torch.bool)
    inside[LOST[owner]] = True
    followed = consistency[0, 0] == 1
    assert not bool(changed[0, 0][followed].any())
    assert torch.equal(found[0, :, followed], wrong[0, :, followed])
    right = (found - flow).abs().amax(dim=1)[0] < 0.1
    assert float(right[inside].float().mean()) > 0.9  # the window of looks reaches over the border
    assert bool(changed[0, 0][inside & right].all())


def test_what_was_followed_or_looks_otherwise_stays() -> None:
    image, flow, known = scene()
    known = known._replace(consistency=torch.ones_like(known.consistency))
    found, changed = own_motion(flow + 5, image, known)  # nobody asks where all was followed
    assert torch.equal(found, flow + 5)
    assert not bool(changed.any())
    consistency = known.consistency.clone()
    consistency[(0, 0, *LOST[1])] = 0.1
    right, _ = own_motion(flow, image, known._replace(consistency=consistency))
    assert torch.equal(right, flow)  # nothing looks more alike than the truth
    nobody, changed = own_motion(flow + 5, image, known._replace(consistency=torch.zeros_like(consistency)))
    assert torch.equal(nobody, flow + 5)  # nobody was followed: no motion is known
    assert not bool(changed.any())
