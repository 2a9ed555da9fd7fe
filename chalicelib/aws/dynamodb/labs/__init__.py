"""Labs, receipts and the counters of labs alive."""
