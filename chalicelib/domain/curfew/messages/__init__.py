"""What owners and administrators read about the curfew."""
