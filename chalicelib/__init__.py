"""The service: what its Lambdas run."""
