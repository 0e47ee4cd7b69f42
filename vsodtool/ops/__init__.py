"""Pure tensor maths: warps, consistency, propagation, fusion, confidence, intervals; no disk."""
