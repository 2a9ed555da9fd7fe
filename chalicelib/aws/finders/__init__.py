"""One module per kind of thing that a lab leaves behind: how it is found, and how it is deleted. Called by `leftovers.py`."""
