"""Nouns that every other folder uses: places, names, resources, messages, wording."""
