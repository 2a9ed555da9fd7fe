"""The page: HTML for browsers, made from what the services answer. Only `routes/pages.py` imports it, and late."""
