"""A detector for use: clips through the network, precision checked on it, mirroring."""
