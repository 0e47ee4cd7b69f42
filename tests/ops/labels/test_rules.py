"""The label that rules give, on what needs no rule."""

from __future__ import annotations

import torch

from vsodtool.ops.labels.fusion import fuse
from vsodtool.ops.labels.matching import Search
from vsodtool.ops.labels.photometric import photometric_error
from vsodtool.ops.labels.rules import label_by_rules


def test_hypotheses_are_judged_by_what_the_labelled_frames_look_like_here() -> None:
    rng = torch.Generator().manual_seed(0)
    image, views = torch.rand(1, 3, 9, 12, generator=rng), torch.rand(4, 3, 9, 12, generator=rng)
    labels, consistency = torch.rand(4, 2, 9, 12, generator=rng) / 2, torch.rand(4, 1, 9, 12, generator=rng)
    found = label_by_rules(image, labels, views, consistency, search=None, edges=False)
    expected = fuse(labels, consistency, photometric_error(image.expand_as(views), views))
    torch.testing.assert_close(found.labels, expected.labels)
    torch.testing.assert_close(found.support, expected.support)


def test_labels_that_agree_with_each_other_and_the_image_stay() -> None:
    image = torch.zeros(1, 3, 24, 32)
    image[..., 6:18, 8:24] = 0.8
    labels = (image[:, :1] > 0).float().expand(2, 1, -1, -1)
    sure = torch.ones(2, 1, 24, 32)
    found = label_by_rules(image, labels, image.expand(2, -1, -1, -1), sure, search=Search(), edges=True)
    assert torch.equal(found.labels > 0.5, labels[:1] > 0.5)
    torch.testing.assert_close(found.support, torch.ones_like(found.support))
