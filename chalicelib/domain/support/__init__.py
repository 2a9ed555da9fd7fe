"""Watched clusters: their versions, the calendar, deadlines, and obstacles to an upgrade."""
