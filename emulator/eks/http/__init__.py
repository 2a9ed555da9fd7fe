"""From an HTTP request to an EKS operation and back, by the botocore model."""
