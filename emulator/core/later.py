"""Work that AWS does shortly after its answer, such as deleting the interfaces of a deleted load balancer."""

import contextvars
import threading
from collections.abc import Callable

from emulator.core.clock import EmulatorClock


def later(clock: EmulatorClock, seconds: float, act: Callable[[], None]) -> None:
    """Run `act` after this many AWS seconds, for the account and region of the present caller."""
    context = contextvars.copy_context()
    timer = threading.Timer(clock.scaled(seconds), context.run, args=(act,))
    timer.daemon = True
    timer.start()
