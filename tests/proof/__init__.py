"""Fault injection into whole lifecycles on fakes, one fault a life, with the invariants checked after each."""
