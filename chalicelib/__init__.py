"""The service: the code of its Lambdas."""
