"""Use cases of people: one function each, always in the order judge, store, start."""
