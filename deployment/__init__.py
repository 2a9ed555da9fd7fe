"""Installs the service into an AWS account, and removes it: `make package`, `make deploy`, `make destroy`.

The sandbox is deployed by this package, too, with another endpoint. Nothing here ships in the Lambda package.
"""
