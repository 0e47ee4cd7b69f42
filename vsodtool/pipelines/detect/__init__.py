"""Clips of a video through the detector: inputs, features, smoothing, writer."""
