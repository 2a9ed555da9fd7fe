"""How often a step looks again and how many looks it has before it is stuck. The looks are the bound, not the clock.

`every` is in real-life seconds, which the state machine waits; their product is the most a step may take.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.core.deferred import dataclass


@dataclass(frozen=True)
class Patience:
    """Look again after `every` seconds, at most `looks` times."""

    every: int
    looks: int

    def is_out(self, attempt: int) -> bool:
        """Whether a step that has looked `attempt` times before may not wait once more."""
        return attempt + 1 >= self.looks

    @property
    def minutes(self) -> int:
        """The most that is waited, in whole minutes."""
        return self.every * self.looks // 60


#: Visible step -> patience. Generous against the durations in use: a control plane takes 8 to 14 minutes, a node
#: group 2 to 4 (33 have been seen), deleting a node group 4 to 8, deleting a cluster 3 to 4.
PATIENCE: Mapping[str, Patience] = {
    "create_stack": Patience(every=10, looks=180),
    "create_cluster": Patience(every=20, looks=120),
    "create_nodegroups": Patience(every=15, looks=160),
    "create_addons": Patience(every=10, looks=270),
    "verify": Patience(every=15, looks=40),
    "change_endpoint": Patience(every=15, looks=120),
    "scale_nodegroups": Patience(every=15, looks=160),
    "shrink_nodegroups": Patience(every=15, looks=160),
    "restore_nodegroups": Patience(every=15, looks=160),
    "verify_nodes": Patience(every=15, looks=80),
    "begin": Patience(every=10, looks=60),
    "sweep_kubernetes": Patience(every=15, looks=20),
    "delete_nodegroups": Patience(every=15, looks=160),
    "terminate_instances": Patience(every=15, looks=40),
    "sweep_leftovers": Patience(every=15, looks=60),
    "delete_cluster": Patience(every=20, looks=180),
    "sweep_remains": Patience(every=15, looks=40),
    "delete_stack": Patience(every=15, looks=120),
    "take_inventory": Patience(every=60, looks=4),
    "look": Patience(every=60, looks=5),
}
