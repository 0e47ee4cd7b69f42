"""FGPLG, the paper's pseudo-label generator."""
