"""Clock and public holidays: outside the rules, though not AWS."""
