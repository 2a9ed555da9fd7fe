"""SNS and EventBridge, the filters of subscriptions, SES, and the keys of keep-links."""
