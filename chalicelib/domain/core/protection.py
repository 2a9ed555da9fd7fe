"""How AWS says that a thing is protected against deletion. Its codes are those of other refusals (OperationNotPermitted, ...)."""

from __future__ import annotations

from chalicelib.domain.core.deferred import pattern

#: Balancers, stacks, clusters and log groups by the name of the setting; instances and Auto Scaling groups by its value.
PROTECTED = pattern(r"(?i)(deletion|termination)[ _-]?protection|disableApiTermination|prevent-(all|force)-deletion")
