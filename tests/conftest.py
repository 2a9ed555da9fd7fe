"""Random tests draw the same cases at each run of the gate; `make explore` draws new ones."""

from hypothesis import settings

settings.load_profile("ci")
