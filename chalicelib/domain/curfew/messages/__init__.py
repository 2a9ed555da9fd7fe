"""Messages to owners and administrators about the curfew."""
