"""Texts as they leave the service: catalogues of translations, Korean's own rules, and letters as text and HTML."""
