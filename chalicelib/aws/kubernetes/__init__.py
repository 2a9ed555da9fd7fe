"""A cluster's own API server."""
