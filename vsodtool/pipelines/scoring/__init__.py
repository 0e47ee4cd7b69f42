"""Predictions against ground truth: what is compared, scores of a frame, totals, report, plots."""
