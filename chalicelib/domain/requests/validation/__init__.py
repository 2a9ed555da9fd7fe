"""One module per part of the specification, each a list of rules over one context."""
