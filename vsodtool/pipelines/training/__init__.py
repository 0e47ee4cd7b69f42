"""The training loop and what it stands on: task, state, batches, validation, adaptation to one video."""
