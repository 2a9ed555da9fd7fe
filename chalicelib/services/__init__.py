"""What a person may ask: one function per use case, the order always judge, store, start."""
