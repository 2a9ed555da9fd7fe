"""Reads an eksctl ClusterConfig: each field is honoured, warned about or refused."""
