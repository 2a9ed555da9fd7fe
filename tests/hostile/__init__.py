"""Hostile requests. `make hostile` runs all of them, `make check` a few."""
