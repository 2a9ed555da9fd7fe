"""Posts in one partition of the table: read whole and strongly consistent, for a run tells those that it just wrote.

| item | pk     | sk                  | expires_at             |
|------|--------|---------------------|------------------------|
| post | OUTBOX | <kind and occasion> | of a told one, 2 days  |

A post that is told stays for some time: the same post is not told again, and its mail may come back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from chalicelib.aws.dynamodb.codec import item_of
from chalicelib.aws.dynamodb.keys import Item, key, number
from chalicelib.aws.dynamodb.pages import partition
from chalicelib.aws.dynamodb.table import InTable
from chalicelib.aws.dynamodb.transactions import ATTEMPTS
from chalicelib.domain.errors.tree import StaleLab
from chalicelib.domain.notices.outbox import Post

_OUTBOX = "OUTBOX"
_KEPT = timedelta(days=2)


class DynamoPosts(InTable):
    """Implements the PostStore port."""

    def add_post(self, post: Post) -> None:
        self._table.put_if(_item(post), "attribute_not_exists(pk)")

    def waiting(self) -> tuple[Post, ...]:
        listing = replace(partition(_OUTBOX), filter="attribute_not_exists(expires_at)")
        return tuple(sorted(self._table.things(Post, listing), key=lambda post: (post.posted_at, post.id)))

    def change_post(self, post_id: str, change: Callable[[Post], Post]) -> Post | None:
        """Again when beaten to it. Raises StaleLab."""
        for _ in range(ATTEMPTS):
            stored = self._table.load(Post, _key(post_id))
            if stored is None:
                return None
            changed = change(stored)
            if changed == stored:
                return stored
            saved = replace(changed, version=stored.version + 1)
            if self._saved(saved, stored.version):
                return saved
        raise StaleLab(f"The post {post_id} was saved by others {ATTEMPTS} times in a row.")

    def _saved(self, post: Post, seen: int) -> bool:
        values = {":seen": number(seen)}
        return self._table.put_if(
            _item(post),
            "#v = :seen",
            ExpressionAttributeNames={"#v": "version"},
            ExpressionAttributeValues=values,
        )


def _item(post: Post) -> Item:
    """One that is told expires."""
    expires = {"expires_at": number(int((post.told_at + _KEPT).timestamp()))} if post.told_at else {}
    return item_of(_key(post.id), post, version=number(post.version), **expires)


def _key(post_id: str) -> Item:
    return key(_OUTBOX, post_id)
