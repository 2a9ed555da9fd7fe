"""Clock and public holidays: adapters without AWS."""
