"""A lab's foundations: EC2 network, CloudFormation stacks, Route 53, IAM roles."""
