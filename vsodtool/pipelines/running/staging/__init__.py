"""Inputs and outputs that are URLs: a run works on a disk, beside which the bucket is kept the same."""
