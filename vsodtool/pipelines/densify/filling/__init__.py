"""The frames of one interval: evidence of both sides, what is far from it, and the label that comes of it."""
