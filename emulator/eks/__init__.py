"""An emulated Amazon EKS: slow starts, strict checks, a support calendar, and leftovers.

`Eks.handle_request` takes the emulator's requests; the Kubernetes API servers of its clusters are in `kubernetes`.
"""

from emulator.eks.front import Eks

__all__ = ["Eks"]
