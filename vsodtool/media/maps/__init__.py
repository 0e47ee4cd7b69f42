"""Saliency maps and ground truth as `evaluate` reads them, and the files its scores go to."""
