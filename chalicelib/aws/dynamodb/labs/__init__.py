"""Labs, receipts and the counters of living labs."""
