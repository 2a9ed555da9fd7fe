"""Accounts as people leave them: a fleet, leftovers of a lab, and things that only look like a lab's."""
