"""The only file of the emulator that a Lambda process sees."""
