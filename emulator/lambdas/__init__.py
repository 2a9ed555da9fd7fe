"""Lambda as AWS runs it: error names, unpacked code, the function's own role."""
