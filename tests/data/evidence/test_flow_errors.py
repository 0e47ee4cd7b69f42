from __future__ import annotations

import numpy as np
import torch

from vsodtool.data.evidence.flow_errors import add_flow_errors, guess_again
from vsodtool.ops.labels.evidence_maps import GUESS, IMAGE, LEFT, MAPS, RIGHT

SIZE = 48


def evidence() -> torch.Tensor:
    """A square over noise that every hypothesis finds exactly."""
    rng = np.random.default_rng(0)
    image = torch.from_numpy(rng.random((3, SIZE, SIZE), np.float32))
    label = torch.zeros(1, SIZE, SIZE)
    label[:, 16:32, 16:32] = 1
    side = torch.cat((label, image, label, image, torch.ones(1, SIZE, SIZE)))
    return torch.cat((image, side, side, label))


def test_where_nothing_errs_the_guess_is_the_label() -> None:
    maps = evidence()
    assert maps.shape == (MAPS, SIZE, SIZE)
    same = (guess_again(maps) > 0.5) == (maps[GUESS] > 0.5)
    assert float(same.float().mean()) > 0.99  # borders are pulled to edges of the noise


def test_errors_move_labels_and_images_together_and_leave_the_frame() -> None:
    maps = evidence()
    changed = {"left": 0, "right": 0}
    for seed in range(30):
        found = add_flow_errors(maps, np.random.default_rng(seed))
        assert torch.equal(found[:IMAGE], maps[:IMAGE])
        torch.testing.assert_close(found[GUESS], guess_again(found))
        assert float(found.min()) >= 0
        assert float(found.max()) <= 1 + 1e-5
        for name, side in (("left", LEFT), ("right", RIGHT)):
            for way in (0, 4):
                labels, images = found[side][way], found[side][way + 1 : way + 4]
                moved = not torch.equal(labels, maps[side][way])
                assert moved != torch.equal(images, maps[side][way + 1 : way + 4])
                changed[name] += moved
    assert min(changed.values()) > 10


def test_the_same_chance_gives_the_same_errors() -> None:
    maps = evidence()
    one, same = (add_flow_errors(maps, np.random.default_rng(5)) for _ in range(2))
    assert torch.equal(one, same)
