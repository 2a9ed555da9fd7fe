"""What steps of several workflows have in common."""
