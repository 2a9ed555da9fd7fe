"""What exists, what is under way, how long things take and what fails on purpose."""
