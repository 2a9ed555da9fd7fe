"""AWS on this machine: ministack, with an EKS, a stricter EC2, CloudFormation and IAM. It knows nothing of ekslab."""
