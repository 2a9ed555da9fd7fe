"""Foundations of every part: settings, clock, clients of AWS's own, delayed work, and AWS's bill."""
