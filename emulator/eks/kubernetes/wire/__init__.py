"""Parts of a connection: certificates, tokens of `aws eks get-token`, and bodies in protobuf."""
