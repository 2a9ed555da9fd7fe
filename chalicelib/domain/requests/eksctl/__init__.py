"""The same from an eksctl ClusterConfig: each field is honoured, warned about or refused."""
