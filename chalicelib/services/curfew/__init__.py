"""Requests about curfew: rules, tonight's plan, a verdict, the keep link."""
