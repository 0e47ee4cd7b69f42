"""The registry of weights: declared data about each, and networks by name."""
