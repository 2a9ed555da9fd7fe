"""CloudTrail's event history: what was called, by whom, with which answer, for LookupEvents; written as AWS writes it."""

from emulator.cloudtrail.additions import add_event
from emulator.cloudtrail.history import History
from emulator.cloudtrail.lookup import install_lookup
from emulator.cloudtrail.record import install_recording
from emulator.core.clock import EmulatorClock

__all__ = ["History", "add_event", "install"]


def install(clock: EmulatorClock) -> History:
    """Record the calls to this process's emulator from now on, and answer LookupEvents; return the history."""
    history = History(clock)
    install_recording(history)
    install_lookup(history)
    return history
