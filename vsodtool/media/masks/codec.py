"""Masks of every encoding -> object ids, and back to PNG, by what their pixel values mean."""

from __future__ import annotations

from typing import cast

import numpy as np

from vsodtool.media.masks.meaning import Meaning
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.masks.reading import Colours, Plane, RawMask
from vsodtool.types import LabelArray


def decode_values(raw: RawMask, meaning: Meaning) -> LabelArray:
    """Ids of a mask whose values are ids, or are object from a threshold on; uint16 (H, W)."""
    plane = raw.values
    if meaning.by_alpha:
        plane = raw.alpha if raw.alpha is not None else np.zeros_like(raw.values)
    if meaning.threshold:
        return (plane >= meaning.threshold).astype(np.uint16)
    return _swap_background(plane, meaning).astype(np.uint16)


def encode_values(labels: LabelArray, meaning: Meaning) -> bytes:
    """A PNG of ids, or of one object and nothing.

    Raises:
        ValueError: an id is too large for the encoding.
    """
    if meaning.threshold:
        return _write((labels > 0) * np.uint16(meaning.on), meaning)
    largest = int(labels.max(initial=0))
    if meaning.container != "grey16" and largest > 255:
        raise ValueError(f"id {largest} does not fit into 8 bits")
    return _write(_swap_background(labels, meaning), meaning)


def decode_colours(raw: RawMask, meaning: Meaning) -> LabelArray:
    """Ids of a mask with a colour for each object, uint16 (H, W)."""
    drawn = raw.colours(by_alpha=meaning.by_alpha)
    order = np.argsort(meaning.colours)
    known = np.array(meaning.colours, np.int64)[order]
    place = np.minimum(np.searchsorted(known, drawn), known.size - 1)
    exact = known[place] == drawn
    labels = np.where(exact, order[place] + 1, 0).astype(np.uint16)
    between = ~exact & (drawn != meaning.ground)
    if between.any():
        blends, which = np.unique(drawn[between], return_inverse=True)
        # An edge against nothing is cut at half; where the opacity says what is nothing, that is done.
        targets = np.array(
            meaning.colours if meaning.by_alpha else (meaning.ground, *meaning.colours), np.int64
        )
        distance = ((_channels(blends)[:, None] - _channels(targets)) ** 2).sum(axis=2)
        labels[between] = (distance.argmin(axis=1) + meaning.by_alpha)[which]
    return labels


def encode_colours(labels: LabelArray, meaning: Meaning) -> bytes:
    """A PNG with the colour of each object, on black or on nothing."""
    depth = np.uint8 if meaning.on == 255 else np.uint16
    table = np.zeros((len(meaning.colours) + 1, 4 if meaning.by_alpha else 3), depth)
    table[:, :3] = _channels(np.array((meaning.ground, *meaning.colours), np.int64))
    table[1:, 3:] = meaning.on
    return encode_plane_png(table[labels])


def given_values(raw: RawMask, meaning: Meaning) -> bytes:
    """A PNG with exactly the pixel values of a mask given."""
    if raw.rgb is not None or meaning.by_alpha:
        planes = [raw.values] * 3 if raw.rgb is None else [raw.rgb[..., place] for place in range(3)]
        stacked = np.dstack(planes if raw.alpha is None else [*planes, raw.alpha])
        return encode_plane_png(cast(Plane, stacked))
    return _write(raw.values, meaning)


def given_as_decoded(raw: RawMask, meaning: Meaning) -> bytes:
    """A PNG with 0 and 255, of a mask drawn in colour."""
    return encode_values(decode_values(raw, meaning), meaning)


def _channels(colours: Colours) -> Colours:
    """R, G and B of packed colours, (N, 3)."""
    return np.stack([colours >> shift & 0xFFFF for shift in (32, 16, 0)], axis=-1)


def _swap_background(plane: Plane, meaning: Meaning) -> Plane:
    if not meaning.background:
        return plane
    swapped = plane.copy()
    swapped[plane == 0] = meaning.background
    swapped[plane == meaning.background] = 0
    return swapped


def _write(plane: Plane, meaning: Meaning) -> bytes:
    if meaning.container == "grey16":
        return encode_plane_png(plane.astype(np.uint16))
    return encode_plane_png(plane.astype(np.uint8), meaning.palette)
