"""Faults put into whole lifecycles on fakes, one a life, and what must be true after each."""
