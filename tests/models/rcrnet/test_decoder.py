"""The decoder without its largest tensor against the decoder."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.stirred import stirred
from vsodtool.models.inference.prepare import fold_batch_norm
from vsodtool.models.rcrnet.decoder import Decoder, EnlargedDecoder


@settings(deadline=None, max_examples=25)
@given(
    small=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    large=st.tuples(st.integers(1, 80), st.integers(1, 130)),
    frames=st.integers(1, 2),
)
def test_enlarged_decoder_is_the_decoder(small: tuple[int, int], large: tuple[int, int], frames: int) -> None:
    torch.manual_seed(3)
    decoder = Decoder(5, 7)
    stirred(decoder)
    fold_batch_norm(decoder)
    features = torch.randn(frames, 5, *small)
    with torch.inference_mode():
        expected = decoder(features, large)
        found = EnlargedDecoder(decoder)(features, large)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
