"""Backbones and their ImageNet weights."""
