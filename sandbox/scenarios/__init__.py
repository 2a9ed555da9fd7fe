"""Realistic accounts: a fleet, leftovers of a lab, and resources that only look like a lab's."""
