"""Mail addresses in the form that SES accepts: one plain address, its domain in ASCII.

Called for every incoming address: `PUT /me`, a roster. Characters that could change a mail's headers, or hide, are refused.
"""

from __future__ import annotations

import unicodedata

from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.core.sentence import Sentence

#: RFC 5321: octets of a local part, of a whole address.
_LOCAL, _WHOLE = 64, 254
#: RFC 5322's dot-atom, the form of people's mailboxes; quoted ones are refused.
_DOT_ATOM = pattern(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = pattern(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
#: Unicode categories of invisible characters: controls, formats (also those that turn the direction), surrogates, private ones.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def has_unseen(text: str) -> bool:
    """Whether a text holds an invisible character, such as a line break or one that turns the direction of writing."""
    return any(unicodedata.category(character) in _UNSEEN for character in text)


def read_address(text: str) -> tuple[str | None, str]:
    """The address with its domain in lower-case ASCII; or None, and the fault."""
    if has_unseen(text):
        return None, Sentence(
            "It holds a character that nobody sees, such as a line break or a mark of writing direction."
        )
    local, at, domain = text.strip().rpartition("@")
    if not at or not local or not domain:
        return None, Sentence("An address looks like kim@example.com.")
    if not _DOT_ATOM.fullmatch(local) or len(local) > _LOCAL:
        return (
            None,
            Sentence(
                "Before the @ stand up to {local} letters of ASCII, digits and signs such as . _ + -, "
                "for SES takes no others.",
                local=_LOCAL,
            ),
        )
    plain = _ascii(unicodedata.normalize("NFC", domain))
    labels = (plain or "").lower().split(".")
    if plain is None or len(labels) < 2 or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdigit():
        return None, Sentence("{name} is no name of a domain.", name=domain[:60])
    address = f"{local}@{'.'.join(labels)}"
    return (
        (address, "")
        if len(address) <= _WHOLE
        else (None, Sentence("An address has at most {whole} characters.", whole=_WHOLE))
    )


def _ascii(domain: str) -> str | None:
    """The ASCII form of an international domain, as in DNS."""
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
