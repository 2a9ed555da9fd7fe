"""The rules of the curfew: rules, plan, the decision at the moment of the act, keep and extend."""
