"""Requests about one lab or many."""
