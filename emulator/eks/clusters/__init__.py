"""Clusters: requests, versions, updates, insights and what EKS makes for a control plane."""
