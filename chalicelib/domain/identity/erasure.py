"""A person's name in texts, and the same texts without it.

A name stands alone, or at the end of an ARN, of an access entry's path, or of an address; never within a longer name.
"""

from __future__ import annotations

import re
from collections.abc import Callable

ERASED = "erased"


def without(name: str) -> Callable[[str], str]:
    """Replaces the name in a text, in upper and lower case."""
    alone = re.compile(rf"(?<![\w.@+-]){re.escape(name)}(?![\w@+-]|[.,=]\w)", re.IGNORECASE)
    return lambda text: alone.sub(ERASED, text)
