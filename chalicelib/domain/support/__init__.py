"""Every watched cluster: its version, the calendar, its deadlines, what blocks an upgrade."""
