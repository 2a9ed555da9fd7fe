"""Turns domain objects into the JSON (and the HTML pages of links) that callers see."""
