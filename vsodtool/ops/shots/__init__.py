"""Shots of a video, and the cuts between them."""
