"""Public holidays by country, from the `holidays` library. Implements `Curfew.holidays` and `Curfew.is_known_country`.

The library is imported when first needed: for one country it loads all of its 250, which takes about
half a second and 40 MiB of a cold Lambda. A lab without a country for holidays does not load it.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from chalicelib.logs import logger


@lru_cache(maxsize=512)
def public_holidays(country: str, year: int) -> frozenset[date]:
    """That year's public holidays of `KR`, or of `DE-BY` (ISO 3166, with a subdivision if needed), substitute days too.

    Empty for a country that the library does not know, or no longer knows: curfew then comes on every chosen weekday.
    """
    if not is_known_country(country):
        logger.warning("holidays of an unknown country", extra={"country": country})
        return frozenset()
    import holidays

    name, _, subdivision = country.partition("-")
    return frozenset(holidays.country_holidays(name, subdiv=subdivision or None, years=year))


@lru_cache(maxsize=512)
def is_known_country(country: str) -> bool:
    """Whether there are holidays for it. Capitals, as in ISO 3166: `KR`, `GB`, `DE-BY`; not `UK`, `kr` or `KOR`."""
    import holidays

    name, dash, subdivision = country.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    return name in known and (not dash or subdivision in known[name])
