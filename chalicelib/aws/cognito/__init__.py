"""Cognito's user pool, by which browsers sign in."""
