"""Optical flow: a registry and one file per backend."""
