"""Functions that the steps of several workflows share."""
