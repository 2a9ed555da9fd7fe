"""Posts in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from chalicelib.domain.errors.tree import StaleLab
from chalicelib.domain.notices.posts import Post, Waiting
from tests.fakes.account import Account, port


@dataclass
class FakePosts:
    """Implements the PostStore port."""

    account: Account
    posts: dict[str, Post] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    port_name: str = "posts"

    @port
    def add_post(self, post: Post) -> None:
        self.posts.setdefault(post.id, post)

    @port
    def waiting(self, most: int | None = None, *, nightly: bool = True) -> Waiting:
        found = [post for post in self.posts.values() if post.told_at is None]
        found = [post for post in found if nightly or not post.awaits_curfew_run]
        found.sort(key=lambda post: (post.posted_at, post.id))
        return Waiting(tuple(found[:most]), tuple(sorted(self.unreadable)))

    @port
    def post(self, post_id: str) -> Post | None:
        return self.posts.get(post_id)

    @port
    def change_post(self, post_id: str, change: Callable[[Post], Post]) -> Post | None:
        for _ in range(8):
            stored = self.post(post_id)
            if stored is None:
                return None
            changed = change(stored)
            if changed == stored:
                return stored
            if self.posts[post_id].version == stored.version:
                self.posts[post_id] = changed = replace(changed, version=stored.version + 1)
                return changed
        raise StaleLab(f"The post {post_id} was always saved by others.")
