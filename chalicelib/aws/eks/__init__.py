"""EKS: the clusters the service makes, and (`watched/`) the clusters it only reads."""
