"""What can go wrong: the error tree, findings, and AWS errors explained in words with a remedy."""
