"""Use cases about people: addresses, rosters, calendars; one's own, and everybody's for administrators."""
