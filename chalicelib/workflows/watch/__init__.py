"""The parts of the daily support watch (`watch_support`)."""
