"""One module per kind of leftover: how to find and delete it."""
