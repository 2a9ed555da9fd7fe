"""What Lambda opens: one module per state machine, one for the API, one for the schedules; a line per function."""
