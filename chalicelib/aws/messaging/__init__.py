"""SNS and EventBridge, whether a subscription would take a message, and the keys of keep links."""
