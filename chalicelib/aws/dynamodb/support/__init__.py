"""Watched clusters and notices."""
