"""The price list, with its bundled fallback."""
