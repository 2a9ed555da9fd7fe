"""The only folder that knows botocore: one folder per thing the service talks to."""
