"""What each command does: its HTTP calls, what it prints, and its exit status."""
