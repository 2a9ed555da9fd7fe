"""The texts of the command line in its reader's language: English in the code, other languages in `<language>.po` beside it.

The language is that of LC_ALL, LC_MESSAGES or LANG, the first that is set, as for other tools. A catalogue is read at the first
use of its language. `-h` and errors in a command line stay English, as kubectl's do.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ENGLISH = "en"
_FOLDER = Path(__file__).parent
_SLOT = re.compile(r"\{(\w+)\}")
_ENTRY = re.compile(r'^msgid ((?:"[^\n]*"\n)+)msgstr ((?:"[^\n]*"(?:\n|$))+)', re.MULTILINE)


def t(message: str, /, **slots: object) -> str:
    """The message in the reader's language, with its slots filled; values are not searched for slots."""
    said = catalogue(language()).get(message) or message
    return _SLOT.sub(lambda found: str(slots.get(found[1], found[0])), said)


def language() -> str:
    """`ko`, else `en`."""
    wish = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "ko" if re.split("[_.@]", wish.lower())[0] == "ko" else ENGLISH


@cache
def catalogue(of: str) -> Mapping[str, str]:
    """Message -> translation. The code's own language has no catalogue."""
    if of == ENGLISH:
        return {}
    found = _ENTRY.findall((_FOLDER / f"{of}.po").read_text("utf-8"))
    return {_text(key): _text(said) for key, said in found if _text(key)}


def _text(quoted: str) -> str:
    """A message in the file's form: strings, a line each."""
    return "".join(ast.literal_eval(line) for line in quoted.splitlines())
