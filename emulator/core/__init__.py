"""What every part stands on: the settings, the clock, clients of AWS's own, work done later, and what AWS would bill."""
