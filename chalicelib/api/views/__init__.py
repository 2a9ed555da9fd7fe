"""From domain objects to the JSON (and the one HTML page) that callers see."""
