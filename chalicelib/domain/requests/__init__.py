"""Turns a request body into a complete, valid specification."""
