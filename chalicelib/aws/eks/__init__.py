"""EKS: the clusters that the service creates, and (`watched/`) the clusters that it only reads."""
