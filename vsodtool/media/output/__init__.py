"""The state of a run on disk: layout, journal, manifest, lock, resume, shards."""
