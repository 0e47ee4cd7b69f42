"""Flow fields written to files: which pairs of frames, and the work on one of them."""
