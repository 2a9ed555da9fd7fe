"""The parts of the hourly curfew run (`curfew`)."""
