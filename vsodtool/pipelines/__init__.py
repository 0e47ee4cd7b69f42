"""One file per verb, callable from Python: no terminal, progress goes to a listener."""
