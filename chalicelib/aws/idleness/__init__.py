"""Reads metrics, audit logs, CloudTrail and Kubernetes into evidence."""
