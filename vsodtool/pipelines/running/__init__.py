"""What all runs share: order of work, threads, processes, shards."""
