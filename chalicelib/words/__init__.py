"""Texts as they leave the service: catalogues of translations, what Korean needs, and letters as text, HTML and chat."""
