"""AWS on this machine: ministack, with an EKS, a stricter EC2, CloudFormation and IAM, and time that can be moved."""
