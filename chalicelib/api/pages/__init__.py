"""The page: HTML for browsers, rendered from the services' answers. Only `routes/pages.py` imports it, and late."""
