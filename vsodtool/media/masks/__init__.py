"""Masks in and out: encodings, which mask belongs to which frame, what the values mean."""
