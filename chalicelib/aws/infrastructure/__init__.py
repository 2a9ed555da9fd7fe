"""EC2 network, CloudFormation stacks, Route 53, IAM roles: what a lab is built on."""
