"""From bytes, query strings and headers to domain objects, with every finding by its path."""
