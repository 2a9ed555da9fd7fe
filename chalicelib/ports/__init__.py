"""What the rules need from the outside world, as Protocols in our words."""
