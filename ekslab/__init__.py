"""The command line of ekslab: a person's hands on the REST API. Talks HTTP only; knows nothing of the service's insides."""
