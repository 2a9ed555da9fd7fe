"""Posts in one partition of the table: read whole and strongly consistent, because a run sends posts that it just wrote.

| item | pk     | sk                  | posted_at | for_the_hour           | expires_at            |
|------|--------|---------------------|-----------|------------------------|-----------------------|
| post | OUTBOX | <kind and occasion> | its time  | if the curfew run's    | of a sent one, 2 days |

A sent post stays for two days: its id, so that a repeated post is not sent again; and if a mail carried it, its messages, since
the mail may bounce, and the next reader gets one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from chalicelib.aws.dynamodb.codec import item_of, thing_of
from chalicelib.aws.dynamodb.keys import Item, expiry, key, number, stamp, text
from chalicelib.aws.dynamodb.pages import partition
from chalicelib.aws.dynamodb.table import InTable
from chalicelib.aws.dynamodb.transactions import NEW
from chalicelib.domain.errors.saving import changed_record
from chalicelib.domain.errors.tree import Unreadable
from chalicelib.domain.notices.posts import Post, Waiting

_OUTBOX = "OUTBOX"
_KEPT = timedelta(days=2)


class DynamoPosts(InTable):
    """Implements the PostStore port."""

    def add_post(self, post: Post) -> None:
        self._table.put_if(_item(post), NEW)

    def waiting(self, most: int | None = None, *, nightly: bool = True) -> Waiting:
        untold = "attribute_not_exists(expires_at)" + ("" if nightly else " AND attribute_not_exists(for_the_hour)")
        found = self._table.items(replace(partition(_OUTBOX), filter=untold))
        posts: list[Post] = []
        unreadable: list[str] = []
        for item in sorted(found, key=lambda item: (item.get("posted_at", {"S": ""})["S"], item["sk"]["S"])):
            if most is not None and len(posts) == most:
                break
            try:
                posts.append(thing_of(Post, item))
            except Unreadable:
                unreadable.append(item["sk"]["S"])
        return Waiting(tuple(posts), tuple(unreadable))

    def post(self, post_id: str) -> Post | None:
        return self._table.load(Post, _key(post_id))

    def change_post(self, post_id: str, change: Callable[[Post], Post]) -> Post | None:
        """Retries if another writer saved first. Raises StaleLab."""
        return changed_record(f"The post {post_id}", lambda: self.post(post_id), change, self._save)

    def _save(self, changed: Post, stored: Post) -> Post | None:
        saved = replace(changed, version=stored.version + 1)
        return saved if self._table.put_version(_item(saved), stored.version) else None


def _item(post: Post) -> Item:
    """A sent post expires."""
    more = {"version": number(post.version), "posted_at": text(stamp(post.posted_at))}
    if post.told_at:
        more["expires_at"] = expiry(post.told_at + _KEPT)
    if post.awaits_curfew_run:
        more["for_the_hour"] = text("yes")
    return item_of(_key(post.id), post, **more)


def _key(post_id: str) -> Item:
    return key(_OUTBOX, post_id)
