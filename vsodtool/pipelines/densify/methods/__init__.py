"""The methods of `--method`, a module each; the rules are `ops.labels.rules`."""
