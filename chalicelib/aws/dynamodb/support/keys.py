"""Keys of the fleet in the one table, and the indexes that list it.

| item         | pk                              | sk                           | due                      | by_age         |
|--------------|---------------------------------|------------------------------|--------------------------|----------------|
| cluster      | PLACE#<account>#<region>        | CLUSTER#<name>               | FLEET, by next deadline  |                |
| notice       | PLACE#<account>#<region>        | NOTICE#<name>#<id>           | NOTICE, while pending    | NOTICE, by age |
| registration | REGISTRY                        | ACCOUNT#<account>            |                          |                |
| trouble      | TROUBLES                        | PLACE#<account>#<region>     |                          |                |

The indexes are those of labs, with other partitions: CloudFormation adds one index per update, so an
installed service could not get several at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

from chalicelib.aws.dynamodb.keys import Item, key, stamp, text
from chalicelib.aws.dynamodb.pages import Listing
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.notices.notice import Notice
from chalicelib.domain.support.watched import Watched

FLEET, NOTICES = "FLEET", "NOTICE"
REGISTRY, TROUBLES = "REGISTRY", "TROUBLES"
#: Sorts after every instant: clusters without a deadline ahead.
_NEVER = "9999"
#: Before every instant: a cluster that AWS may upgrade at any time.
_FIRST = "0000"
_LONGEST_ID = 512


def place_pk(account: str, region: str) -> str:
    """The partition of one place's clusters."""
    return f"PLACE#{account}#{region}"


def watched_key(cluster: ClusterKey) -> Item:
    """The item of a cluster's record."""
    return key(place_pk(cluster.account, cluster.region), f"CLUSTER#{cluster.name}")


def notices_prefix(name: str) -> str:
    """The prefix of the sort keys of one cluster's notices; a name has no #."""
    return f"NOTICE#{name}#"


def notice_key(cluster: ClusterKey, notice_id: str) -> Item:
    """One notice. Notices are beside their place's clusters, so that one query reads a place's."""
    return key(place_pk(cluster.account, cluster.region), f"{notices_prefix(cluster.name)}{_fitting(notice_id)}")


def registration_key(account: str) -> Item:
    """A registered account."""
    return key(REGISTRY, f"ACCOUNT#{account}")


def trouble_key(place: Place) -> Item:
    """The trouble of a whole place."""
    return key(TROUBLES, place_pk(place.account, place.region))


def watched_index_values(watched: Watched) -> Mapping[str, Item]:
    """The index attributes of a cluster with deadlines ahead; none for a deleted one."""
    if watched.gone_at is not None:
        return {}
    deadline = watched.support.next
    first = _FIRST if watched.is_undated else stamp(deadline.at) if deadline else _NEVER
    return {"due_shard": text(FLEET), "due_at": text(f"{first}#{_named(watched.cluster.key)}")}


def notice_index_values(notice: Notice) -> Mapping[str, Item]:
    """The index attributes of a new notice, for all and for pending ones."""
    decided = text(f"{stamp(notice.decided_at)}#{_named(notice.key)}#{_fitting(notice.id)}")
    return {"everyone": text(NOTICES), "created": decided, "due_shard": text(NOTICES), "due_at": decided}


def between(clusters: Collection[ClusterKey]) -> Listing:
    """The records of these clusters of one place, and of those whose names lie between theirs; strongly consistent."""
    first, last = min(clusters), max(clusters)
    pk = place_pk(first.account, first.region)
    values = {":pk": text(pk), ":first": text(f"CLUSTER#{first.name}"), ":last": text(f"CLUSTER#{last.name}")}
    return Listing("pk = :pk AND sk BETWEEN :first AND :last", values, ("pk", "sk"), {"pk": pk})


def _fitting(notice_id: str) -> str:
    """The id as a part of a sort key. A recipient comes from a tag of 256 characters, and a key takes 1,024 bytes."""
    if len(notice_id.encode()) <= _LONGEST_ID:
        return notice_id
    return f"{notice_id[:40]}#{hashlib.sha256(notice_id.encode()).hexdigest()}"


def _named(cluster: ClusterKey) -> str:
    return f"{cluster.account}#{cluster.region}#{cluster.name}"
