"""One interval of frames between two labels: motion, evidence of both sides, methods, trial, label writer."""
