"""Amazon EKS as the emulator lacks it: slow to start, strict, with a calendar, and with things it leaves behind.

`Eks.handle_request` takes the emulator's requests; the Kubernetes API servers of its clusters are in `kubernetes`.
"""

from emulator.eks.front import Eks

__all__ = ["Eks"]
