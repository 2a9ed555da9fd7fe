"""The one table: keys, items, codec, pages, transactions."""
