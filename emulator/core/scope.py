"""The account and the region of the present request."""

from ministack.core.responses import get_account_id, get_region


def scope() -> tuple[str, str]:
    """Return the account and the region of the present caller."""
    return str(get_account_id()), str(get_region())
