"""Annotation files of other tools: read into one model and written from it, a module for each format."""
