"""The only folder that imports botocore: one folder per AWS service or purpose."""
