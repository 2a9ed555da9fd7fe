"""Requests about watched clusters and registered accounts."""
