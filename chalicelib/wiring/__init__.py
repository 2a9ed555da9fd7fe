"""Builds the adapters and `Deps`, lazily, once per process; the only place that does."""
