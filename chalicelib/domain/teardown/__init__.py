"""Whose a resource is, in what order things go, and the receipt that proves it."""
