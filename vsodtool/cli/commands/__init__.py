"""One module for each command: its options, what it says and how it ends."""
