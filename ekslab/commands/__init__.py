"""The commands: each one's HTTP calls, output and exit status."""
