"""The CloudFormation template of one lab."""
