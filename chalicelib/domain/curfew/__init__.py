"""What happens to a lab tonight: rules, plan, the decision at the moment of the act, keep and extend."""
