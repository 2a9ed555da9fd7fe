"""The ownership of resources, the order of deletion, and the receipt that proves it."""
