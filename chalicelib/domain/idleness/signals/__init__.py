"""One module per group of signals; each is quiet, busy, missing or not applicable."""
