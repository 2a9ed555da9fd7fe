"""The parser of the command line and the types of its arguments."""
