"""`--method fgplg` with vsodtool's own densifier, its network untrained: then it is `warp`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from torch import Tensor

from vsodtool.config import PseudoLabelConfig
from vsodtool.models.evidence.architecture import EvidenceArchitecture
from vsodtool.models.evidence.densifier import EvidenceDensifier
from vsodtool.models.evidence.label_memory import Memories
from vsodtool.models.evidence.network import FrameInput
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import create_network
from vsodtool.ops.labels.evidence_maps import CELL, GUESS, LEFT, MAPS, RIGHT
from vsodtool.pipelines.densify.interval import LabelledFrame
from vsodtool.pipelines.densify.method import WarpMethod
from vsodtool.pipelines.densify.methods.learned import (
    AT_ONCE,
    MARGIN,
    REACH,
    SMALL,
    WASTE,
    LearnedMethod,
    grown,
    heard,
    known_boxes,
    mirror,
    side_by_side,
    to_whole_cells,
)
from vsodtool.pipelines.networks.save import save_network
from vsodtool.pipelines.pseudolabel import run_pseudolabel

Film = Callable[..., Any]
PAN = [(2, 1), (1, 0), (-1, 1), (2, -1), (1, 1), (-2, 0)]
TINY = EvidenceArchitecture(fine_width=8, middle_width=8, coarse_width=8)


def generator() -> LearnedMethod:
    torch.manual_seed(0)
    network = create_network(TINY)
    densifier = EvidenceDensifier(network, device=torch.device("cpu"), precision="fp32")
    return LearnedMethod(densifier, WarpMethod())


def masks_of(out: Path) -> list[np.ndarray[Any, Any]]:
    return [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted((out / "masks").rglob("*.png"))]


def config(tmp_path: Path, out: str, **options: Any) -> PseudoLabelConfig:
    return PseudoLabelConfig(
        inputs=(str(tmp_path / "clip"),),
        masks=tmp_path / "masks",
        output=tmp_path / out,
        device="cpu",
        workers=2,
        **options,
    )


@pytest.mark.parametrize("labelled", [(0, 6), (3,), (0, 3, 6)])
@pytest.mark.parametrize("objects", [{1: (72, 75, 30, 25)}, {1: (72, 75, 20, 25), 2: (80, 102, 20, 20)}])
def test_untrained_it_finds_what_the_fusion_finds(
    film: Film, tmp_path: Path, labelled: tuple[int, ...], objects: dict[int, tuple[int, ...]]
) -> None:
    clip = film(PAN, size=(70, 90), objects=objects)  # no multiple of the cells
    clip.write_folder(tmp_path / "clip")
    clip.write_masks(tmp_path / "masks", labelled, 1)
    run_pseudolabel(config(tmp_path, "a"), generator=generator())
    run_pseudolabel(config(tmp_path, "b"), generator=WarpMethod())
    for here, there in zip(masks_of(tmp_path / "a"), masks_of(tmp_path / "b"), strict=True):
        # Objects compete by softmax of logits here, by their shares there: that differs along borders only.
        assert np.mean(here != there) < 0.01


def test_mirrored_evidence_is_seen_mirrored() -> None:
    """What a network says of mirrored evidence, mirrored back, is what its mirrored self says."""
    rng = torch.Generator().manual_seed(0)
    told = FrameInput(
        maps=torch.rand(1, MAPS, 16, 24, generator=rng),
        distances=torch.tensor([[1.0, 5.0]]),
        positions=torch.randn(1, 2, 2, 3, generator=rng),
    )
    there = mirror(told)
    assert torch.equal(there.maps[:, GUESS], told.maps[:, GUESS].flip(-1))
    assert torch.equal(there.maps[:, LEFT], told.maps[:, RIGHT].flip(-1))
    assert there.distances.tolist() == [[5.0, 1.0]]
    for one, again in zip(told, mirror(there), strict=True):
        assert torch.equal(one, again)


@pytest.mark.parametrize("labelled", [(0, 6), (3,)])
def test_asked_twice_an_untrained_network_says_the_same(
    film: Film, tmp_path: Path, labelled: tuple[int, ...]
) -> None:
    clip = film(PAN, size=(70, 90), objects={1: (72, 75, 30, 25)})
    clip.write_folder(tmp_path / "clip")
    clip.write_masks(tmp_path / "masks", labelled, 1)
    torch.manual_seed(0)
    densifier = EvidenceDensifier(create_network(TINY), device=torch.device("cpu"), precision="fp32")
    run_pseudolabel(config(tmp_path, "a"), generator=LearnedMethod(densifier, WarpMethod(), mirrored=True))
    run_pseudolabel(config(tmp_path, "b"), generator=generator())
    for here, there in zip(masks_of(tmp_path / "a"), masks_of(tmp_path / "b"), strict=True):
        assert np.array_equal(here, there)


def test_each_object_is_seen_on_its_own_box(film: Film, tmp_path: Path) -> None:
    """A network that was not trained leaves the rules' labels, so both things come out as they are."""
    clip = film(PAN, size=(70, 128), objects={1: (72, 75, 16, 16), 2: (72, 165, 16, 16)})
    clip.write_folder(tmp_path / "clip")
    clip.write_masks(tmp_path / "masks", (0, 6), 1)
    method = generator()
    seen: list[int] = []
    decide = method._densifier.decide_together

    def watched(told: Sequence[FrameInput], known: Sequence[Memories]) -> Tensor:
        assert len(told) == 2  # both of a frame at once
        seen.extend(each.maps.shape[-1] for each in told)
        return decide(told, known)

    method._densifier.decide_together = watched  # type: ignore[method-assign]
    run_pseudolabel(config(tmp_path, "out", quality="best"), generator=method)
    assert len(seen) == 2 * 5
    assert max(seen) <= 16 + 2 * MARGIN + 2 * CELL < 90 + 16  # as far as from one to the other
    for found, truth in zip(masks_of(tmp_path / "out"), clip.truth, strict=True):
        assert ((found == 1) & (truth == 1)).sum() > 0.9 * (truth == 1).sum()
        assert ((found == 2) & (truth == 2)).sum() > 0.9 * (truth == 2).sum()


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("shown_twice", [True, False])
def test_labelled_frames_are_remembered_once_for_all_between_them(
    film: Film, tmp_path: Path, mirrored: bool, shown_twice: bool
) -> None:
    """But for each frame where one of them does not show the object: where it would be, the frame says."""
    torch.manual_seed(0)
    network = create_network(TINY)
    torch.nn.init.normal_(network.head.weight, std=0.5)
    densifier = EvidenceDensifier(network, device=torch.device("cpu"), precision="fp32")
    clip = film(PAN, size=(70, 128), objects={1: (72, 75, 16, 16), 2: (72, 165, 16, 16)})
    clip.write_folder(tmp_path / "clip")
    clip.write_masks(tmp_path / "masks", (0, 3, 6), 1)
    if not shown_twice:
        last = max((tmp_path / "masks").rglob("*.png"))
        mask = np.array(cv2.imread(str(last), cv2.IMREAD_UNCHANGED))
        cv2.imwrite(str(last), np.where(mask == 2, 0, mask).astype(np.uint8))
    remember, asked = densifier.remember, [0]

    def watched(looks: Tensor, labels: Tensor, positions: Tensor) -> Memories:
        asked[0] += 1
        return remember(looks, labels, positions)

    densifier.remember = watched  # type: ignore[method-assign]
    method = LearnedMethod(densifier, WarpMethod(), mirrored=mirrored)
    run_pseudolabel(config(tmp_path, "a"), generator=method)
    found, views = masks_of(tmp_path / "a"), 2 if mirrored else 1
    # Of two intervals with two objects and two frames between.
    assert asked[0] == (2 * 2 + (not shown_twice)) * views

    method._memories.get = lambda thing, key, compute: compute()  # type: ignore[method-assign]
    asked[0] = 0
    run_pseudolabel(config(tmp_path, "b"), generator=method)
    assert asked[0] == 2 * 2 * 2 * views
    for here, there in zip(found, masks_of(tmp_path / "b"), strict=True):
        assert np.array_equal(here, there)


@given(st.lists(st.tuples(st.integers(8, 300), st.integers(8, 300)), max_size=40))
def test_boxes_of_about_one_size_are_together(sizes: list[tuple[int, int]]) -> None:
    found = side_by_side(sizes)
    assert sorted(position for batch in found for position in batch) == list(range(len(sizes)))
    for batch in found:
        height, width = (max(sizes[position][axis] for position in batch) for axis in (0, 1))
        own = sum(sizes[position][0] * sizes[position][1] for position in batch)
        assert len(batch) == 1 or (len(batch) <= AT_ONCE and height * width <= SMALL)
        assert height * width * len(batch) <= WASTE * own


def test_equal_small_boxes_are_all_together_and_large_ones_alone() -> None:
    assert side_by_side([(104, 104)] * 5) == [[0, 1, 2, 3, 4]]
    assert side_by_side([(400, 400)] * 2) == [[0], [1]]


def greedy() -> LearnedMethod:
    """A network that says "object" everywhere."""
    torch.manual_seed(0)
    network = create_network(TINY)
    assert network.head.bias is not None
    torch.nn.init.constant_(network.head.bias, 20.0)
    densifier = EvidenceDensifier(network, device=torch.device("cpu"), precision="fp32")
    return LearnedMethod(densifier, WarpMethod())


def test_what_looks_alike_far_away_is_not_the_object(film: Film, tmp_path: Path) -> None:
    """A network that says "object" everywhere is heard near the labels only."""
    clip = film(PAN, size=(96, 128), objects={1: (72, 75, 20, 20)})
    clip.write_folder(tmp_path / "clip")
    clip.write_masks(tmp_path / "masks", (0, 6), 1)
    run_pseudolabel(config(tmp_path, "out", quality="best"), generator=greedy())
    reach = REACH * 20 + 6  # and a little more: labels that flow blurred
    for found, truth in zip(masks_of(tmp_path / "out")[1:6], clip.truth[1:6], strict=True):
        distance = cv2.distanceTransform((truth == 0).astype(np.uint8), cv2.DIST_L2, 5)
        assert (found > 0).sum() > (truth > 0).sum()
        assert distance[found > 0].max() <= reach * 2**0.5


def test_certain_is_what_network_and_rules_agree_on(film: Film, tmp_path: Path) -> None:
    """A network that says "object" everywhere is doubted where the rules say nothing is there."""
    clip = film(PAN, size=(96, 128), objects={1: (72, 75, 20, 20)})
    clip.write_folder(tmp_path / "clip")
    clip.write_masks(tmp_path / "masks", (0, 6), 1)
    options = config(tmp_path, "out", confidence=True)
    run_pseudolabel(options, generator=greedy())
    (sure,) = (tmp_path / "out" / "confidence").rglob("*3.png")
    confidence, found = cv2.imread(str(sure), cv2.IMREAD_UNCHANGED), masks_of(tmp_path / "out")[3] > 0
    right = clip.truth[3] > 0
    assert found[~right].any()
    assert np.median(confidence[found & ~right]) < 30
    assert np.median(confidence[found & right]) > 200


def test_weights_name_the_network(film: Film, tmp_path: Path) -> None:
    clip = film(PAN, size=(64, 64), objects={1: (72, 75, 30, 25)})
    clip.write_folder(tmp_path / "clip")
    clip.write_masks(tmp_path / "masks", (0, 6), 255)
    weights = tmp_path / "tiny.safetensors"
    torch.manual_seed(0)
    save_network(weights, create_network(TINY), Preprocessing(size=64))
    report = run_pseudolabel(config(tmp_path, "out", method="fgplg", weights=str(weights)))
    assert report.method == "fgplg"
    assert len(masks_of(tmp_path / "out")) == 7


def labelled(size: tuple[int, int], box: tuple[int, int, int, int] | None) -> LabelledFrame:
    labels = torch.zeros(1, 1, *size)
    if box is not None:
        top, left, height, width = box
        labels[..., top : top + height, left : left + width] = 1
    return LabelledFrame(0, "0", np.zeros((*size, 3), np.uint8), labels)


sizes = st.tuples(st.integers(1, 90), st.integers(1, 90))


@given(st.data())
def test_boxes_around_an_object_are_of_one_size_whole_cells_and_inside(data: st.DataObject) -> None:
    size = data.draw(sizes)
    frames = []
    for _ in range(2):
        if data.draw(st.booleans()):
            top, left = data.draw(st.integers(0, size[0] - 1)), data.draw(st.integers(0, size[1] - 1))
            height = data.draw(st.integers(1, size[0] - top))
            frames.append(labelled(size, (top, left, height, data.draw(st.integers(1, size[1] - left)))))
        else:
            frames.append(labelled(size, None))
    boxes = known_boxes((frames[0], frames[1]), 0)
    assert boxes[0].size == boxes[1].size
    for frame, box in zip(frames, boxes, strict=True):
        assert box.size[0] % CELL == box.size[1] % CELL == 0
        assert min(box.size) > 0
        assert box.top >= 0
        assert box.left >= 0
        assert box.bottom < size[0] + CELL
        assert box.right < size[1] + CELL
        assert box.crop(frame.labels).sum() == frame.labels.sum()  # all of the object
        assert to_whole_cells(box.crop(frame.labels), box.size).shape[-2:] == box.size


@pytest.mark.parametrize("radius", [0, 1, 4, 30])
def test_growing_is_dilation_by_a_square(radius: int) -> None:
    inside = torch.rand(1, 1, 23, 31, generator=torch.Generator().manual_seed(radius)) > 0.98
    square = np.ones((2 * radius + 1, 2 * radius + 1), bool)
    expected = ndimage.binary_dilation(inside[0, 0].numpy(), square)
    np.testing.assert_array_equal(grown(inside, radius)[0, 0].numpy(), expected)


def test_the_network_moves_borders_and_fills_gaps_but_founds_nothing_apart() -> None:
    guess = torch.full((1, 1, 24, 40), 0.1)
    guess[..., 4:12, 4:12] = 0.9
    guess[..., 6:8, 6:8] = 0.2  # a gap
    logits = torch.full_like(guess, -3.0)
    logits[..., 4:16, 4:12] = 2.0  # larger than the guess, without its gap
    logits[..., 4:12, 24:32] = 2.0  # apart
    near = torch.ones_like(guess, dtype=torch.bool)
    found = heard(logits, near, guess)
    expected = torch.zeros_like(near)
    expected[..., 4:16, 4:12] = True
    assert torch.equal(found > 0, expected)
    kept = ~(logits > 0) | expected
    assert torch.equal(found[kept], logits[kept])


def test_far_from_all_labels_the_first_guess_stands() -> None:
    guess = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    nowhere = torch.zeros_like(guess, dtype=torch.bool)
    found = heard(torch.full_like(guess, 9.0), nowhere, guess)
    torch.testing.assert_close(found.sigmoid(), guess, atol=1e-3, rtol=0)
