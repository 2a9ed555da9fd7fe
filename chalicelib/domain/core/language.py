"""The languages of texts for people."""

from enum import StrEnum


class Language(StrEnum):
    """By its ISO 639 code, as in `<html lang>`."""

    EN = "en"
    KO = "ko"
