"""Recorded evidence as a dataset for the learned densifier."""
