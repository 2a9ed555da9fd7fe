"""The OpenAPI document, made from schemas, the error table and the list of operations."""
