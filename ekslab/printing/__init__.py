"""Formats an answer's JSON as lines for a terminal."""
