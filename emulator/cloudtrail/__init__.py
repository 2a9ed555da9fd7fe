"""CloudTrail's event history for LookupEvents: calls, callers and answers, in AWS's form."""

from emulator.cloudtrail.additions import add_event
from emulator.cloudtrail.history import History
from emulator.cloudtrail.lookup import install_lookup
from emulator.cloudtrail.record import install_recording
from emulator.core.clock import EmulatorClock
from emulator.eks.state.faults import Faults

__all__ = ["History", "add_event", "install"]


def install(clock: EmulatorClock, faults: Faults) -> History:
    """Record the calls to this process's emulator, and answer LookupEvents unless a fault forbids it."""
    history = History(clock)
    install_recording(history)
    install_lookup(history, faults)
    return history
