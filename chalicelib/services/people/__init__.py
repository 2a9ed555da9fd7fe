"""What people may ask about themselves, and administrators about everybody: addresses, rosters, calendars."""
