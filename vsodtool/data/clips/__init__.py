"""Clips and triplets of frames for training: from videos, and from stills set in motion."""
