"""Whether an account may use a region at all: asked before anything is read there, where nobody would answer."""

from __future__ import annotations

from chalicelib.domain.core.place import Place
from chalicelib.domain.errors.tree import AccessDenied, InvalidRequest, Transient
from chalicelib.domain.requests.preflight import check_region
from chalicelib.ports.deps import Deps


def refuse_unusable_region(deps: Deps, account: str, region: str) -> None:
    """Raise InvalidRequest for a region that does not exist or is not enabled in the account. Unknown is not refused."""
    usual = deps.limits.default_region
    if (account, region) == (deps.watch.home, usual):
        return
    try:
        states = deps.cloud(Place(account, usual)).network.regions()
    except (AccessDenied, Transient):
        return
    if found := check_region(region, account, states):
        raise InvalidRequest(found)
