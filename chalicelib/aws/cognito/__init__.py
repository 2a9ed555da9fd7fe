"""Cognito's user pool, with which browsers sign in."""
