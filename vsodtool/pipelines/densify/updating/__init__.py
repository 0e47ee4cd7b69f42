"""What a run made labels from, and which of them no longer follow: for `--update` and the page."""
