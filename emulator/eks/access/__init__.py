"""Access entries, access policies, pod identities and IAM roles as EKS sees them."""
