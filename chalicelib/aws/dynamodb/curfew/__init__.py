"""Plans, verdicts and due queues."""
