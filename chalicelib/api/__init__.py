"""HTTP only: translates a request to one call of a service, and its answer to a response."""
