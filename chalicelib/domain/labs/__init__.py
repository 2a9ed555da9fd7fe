"""The lab record: specification, phase, schedule, steps, hibernation, recovery."""
