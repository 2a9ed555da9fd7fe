"""Clusters: requests, versions, updates, insights, and EKS's resources for a control plane."""
