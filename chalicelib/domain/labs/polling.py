"""How often a step polls, and after how many attempts it is stuck. The attempts are the bound, not the clock.

`interval_seconds` is real time, which the state machine waits; the product is the longest duration of a step.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.core.deferred import dataclass


@dataclass(frozen=True)
class PollPolicy:
    """Look again after `interval_seconds`, at most `max_attempts` times."""

    interval_seconds: int
    max_attempts: int

    def is_out(self, attempt: int) -> bool:
        """Whether a step that has looked `attempt` times before may not wait again."""
        return attempt + 1 >= self.max_attempts

    @property
    def minutes(self) -> int:
        """The longest wait, in whole minutes."""
        return self.interval_seconds * self.max_attempts // 60


#: Visible step -> its policy. Generous compared with usual durations: a control plane takes 8 to 14 minutes, a node
#: group 2 to 4 (33 have been seen), deleting a node group 4 to 8, deleting a cluster 3 to 4. Steps that people wait for
#: look twice as often as deletions.
POLL_POLICIES: Mapping[str, PollPolicy] = {
    "create_stack": PollPolicy(interval_seconds=5, max_attempts=360),
    "create_cluster": PollPolicy(interval_seconds=10, max_attempts=240),
    "create_nodegroups": PollPolicy(interval_seconds=10, max_attempts=240),
    "create_addons": PollPolicy(interval_seconds=5, max_attempts=540),
    "verify": PollPolicy(interval_seconds=5, max_attempts=120),
    "change_endpoint": PollPolicy(interval_seconds=15, max_attempts=120),
    "scale_nodegroups": PollPolicy(interval_seconds=15, max_attempts=160),
    "give_up": PollPolicy(interval_seconds=15, max_attempts=160),
    "shrink_nodegroups": PollPolicy(interval_seconds=15, max_attempts=160),
    "restore_nodegroups": PollPolicy(interval_seconds=15, max_attempts=160),
    "verify_nodes": PollPolicy(interval_seconds=15, max_attempts=80),
    "begin": PollPolicy(interval_seconds=10, max_attempts=60),
    "sweep_kubernetes": PollPolicy(interval_seconds=15, max_attempts=20),
    "delete_nodegroups": PollPolicy(interval_seconds=15, max_attempts=160),
    "terminate_instances": PollPolicy(interval_seconds=15, max_attempts=40),
    "sweep_leftovers": PollPolicy(interval_seconds=15, max_attempts=60),
    "delete_cluster": PollPolicy(interval_seconds=20, max_attempts=180),
    "sweep_remains": PollPolicy(interval_seconds=15, max_attempts=40),
    "delete_stack": PollPolicy(interval_seconds=15, max_attempts=120),
    "take_inventory": PollPolicy(interval_seconds=60, max_attempts=4),
    "look": PollPolicy(interval_seconds=60, max_attempts=5),
}
