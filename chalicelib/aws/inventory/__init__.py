"""The independent inventory behind a receipt; it shares no code with `leftovers`."""
