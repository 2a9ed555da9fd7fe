"""Clusters of any account, read for the support watch."""
