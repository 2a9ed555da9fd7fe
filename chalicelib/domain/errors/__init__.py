"""Errors: the error tree, findings, and explanations of AWS errors with a remedy."""
