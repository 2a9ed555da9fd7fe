"""Assumed roles, and the one table from AWS error codes to our errors."""
