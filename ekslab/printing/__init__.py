"""How answers read on a terminal: from an answer's JSON to lines."""
