"""SES v2 for senders of mail: identities that wait for confirmation, tags, events, mailboxes that bounce."""

from emulator.core.clock import EmulatorClock
from emulator.services.ses import authorization, front, identities


def install(clock: EmulatorClock) -> None:
    """Complete SES v2 in this process's emulator; call it before IAM's part."""
    identities.install()
    front.install(clock)
    authorization.install()
