"""Node groups and Fargate profiles: requests, machines, changes."""
