"""Data for training, tests and the demo: what a network or a benchmark is fed with."""
