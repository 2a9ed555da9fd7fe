"""Requests that nobody who means well would send. `make hostile` runs all of it, `make check` a few."""
