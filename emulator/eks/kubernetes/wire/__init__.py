"""What a connection brings: the certificates, the tokens of `aws eks get-token`, and bodies in protobuf."""
