"""One module per group of signals; each answers quiet, busy, missing or not applicable."""
