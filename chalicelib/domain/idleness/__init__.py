"""Evidence of a cluster's use, and the verdict on it."""
