"""Clusters that carry our tags and have no lab to answer for them: told apart from those of other installations.

`ekslab:installation` says whose a cluster is; `ekslab:ends-by` says until when its lab may at most have lived, so that
only clusters beyond it (or without it) need to be looked up at all.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.place import Place

INSTALLATION_TAG, ENDS_BY_TAG, PROTECTED_TAG = "ekslab:installation", "ekslab:ends-by", "ekslab:protected"


@dataclass(frozen=True)
class TaggedCluster:
    """An EKS cluster as the tagging API lists it."""

    arn: str
    name: str
    region: str
    tags: Mapping[str, str]

    @property
    def place(self) -> Place:
        """The account, as the ARN says it, and the region."""
        return Place(self.arn.split(":")[4], self.region)
