"""Putting the service into an AWS account, and taking it out again: `make package`, `make deploy`, `make destroy`.

The sandbox deploys with this room, too: only the endpoint differs. Nothing here ships in the Lambda package.
"""
