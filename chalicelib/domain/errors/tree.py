"""The one error tree: what happened and who should act. `api/problems.py` maps it to HTTP, ASL files name its classes.

EkslabError
├── RequestRefused            the caller can fix it            (yours)
│   ├── InvalidRequest        bad fields, each a Finding       400
│   ├── LabNotFound           or someone else's                404
│   ├── NoReceiptYet          the lab has not been torn down   404
│   ├── NameTaken             an alive lab has the name        409
│   ├── TooManyLabs           the owner has all they may       409
│   ├── OverBudget            a ceiling of money is reached 403 (LabTooDear, ApproverNeeded, MonthOverBudget)
│   ├── IdempotencyConflict   same key, other body             422
│   ├── WrongPhase            not while the lab is like this   409
│   ├── ClusterNotWatched     no such cluster is kept          404
│   ├── NotYours              for its owner to change          403
│   ├── LoginRefused          a login that can't be believed   400
│   ├── NothingAhead          no deadline to speak of          409
│   ├── PolicyNotAllowed      EKS does not change it now       409
│   ├── AccountNotRegistered  no such account is kept      404
│   ├── AccountInUse          labs live in the account     409
│   ├── AddressPending        somebody else's is pending       409
│   ├── AddressRefused        its reader said no               409
│   ├── AskedTooOften         too many mails or addresses      429
│   ├── NoPlan                nothing was planned that day     404
│   ├── PlanChanged           it is not the plan that was seen 409
│   ├── UnknownLeftover       no such line on the receipt      422
│   ├── NotProved             nothing proves the cluster ours  409
│   ├── LinkInvalid           not one of our keep-links        404
│   ├── LinkExpired           a keep-link of a past night      410
│   ├── LinkBusy              a keep-link used too often       429
│   └── NotKept               too late, or kept long enough    409
├── Unreadable                a stored record that this code can't read (another version wrote it)
├── StaleLab                  someone saved in between; load again
├── Superseded                the lab has moved on; this workflow run must end without acting
├── Transient                 try again later                  (retried by ASL)
│   ├── Throttled
│   └── AwsUnavailable
├── AwsRefused                AWS said no; `code` and `message` are AWS's own words
│   ├── AlreadyExists
│   ├── ResourceGone          the thing is not there (success, when deleting)
│   ├── StillInUse            something else must go first
│   └── AccessDenied          our policy, or an SCP, forbids it
└── ProvisioningFailed        a step ended badly; `failure` says why and whose it is
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from chalicelib.domain.core.instants import format_second
from chalicelib.domain.core.sentence import Listed, Moment, Sentence, Slot, Style, joined, month_of, sentence

if TYPE_CHECKING:
    from chalicelib.domain.core.failure import Failure
    from chalicelib.domain.errors.findings import Finding


class EkslabError(Exception):
    """Root of everything this service raises on purpose."""


class RequestRefused(EkslabError):
    """The request can't be carried out as it stands; the caller can change it. `message` as in `findings.error`."""

    def __init__(self, message: str, /, **slots: Slot) -> None:
        super().__init__(sentence(message, **slots))


#: Findings in one answer. A body of the largest size can have some ten thousand faults, which no answer could hold.
MOST_FINDINGS = 100


class InvalidRequest(RequestRefused):
    """One or more fields are wrong. `findings` holds them all, warnings included; `note` names the checks not made yet.

    `most`: the number of findings that one answer shows.
    """

    def __init__(self, findings: Sequence[Finding], note: str = "", most: int = MOST_FINDINGS) -> None:
        self.findings, self.note, self.most = tuple(findings), note, most
        super().__init__("; ".join(f"{f.path}: {f.message}" for f in self.findings))


class LabNotFound(RequestRefused):
    """No such lab, or none that this caller may see: both look the same on purpose."""

    def __init__(self, lab_id: str) -> None:
        self.lab_id = lab_id
        super().__init__("There is no lab {lab_id}.", lab_id=lab_id)


class NoReceiptYet(RequestRefused):
    """There is no receipt before a teardown has taken one; the message says when there will be."""

    def __init__(self, lab_id: str, message: str, /, **slots: Slot) -> None:
        self.lab_id = lab_id
        super().__init__(message, **slots)


class NameTaken(RequestRefused):
    """An alive lab has this name in this account and region. `lab_id`, `owner`: that lab's; None if it is someone else's."""

    def __init__(self, name: str, lab_id: str | None, owner: str | None = None) -> None:
        self.name, self.lab_id, self.owner = name, lab_id, owner
        which = lab_id or Sentence("it belongs to someone else")
        super().__init__("A lab named {name} is alive: {lab}.", name=name, lab=which)


def _dollars(micro: int) -> str:
    return f"${micro / 1_000_000:,.2f}"


class TooManyLabs(RequestRefused):
    """The owner has as many living labs as this installation allows: `most`. `role`: all sessions of this role together have."""

    def __init__(self, most: int, role: str | None = None) -> None:
        self.most, self.role = most, role
        mine = Sentence("You have {n} labs alive, which is as many as one owner may have here. Release one first.")
        super().__init__(mine.with_slots(n=most) if role is None else _too_many_of(role, most))


def _too_many_of(role: str, most: int) -> Sentence:
    return Sentence(
        "The sessions of {role} have together {n} labs alive, which is as many as one role may have here. Release one first.",
        role=role,
        n=most,
    )


_LABS_OF = {
    "person": Sentence("the labs of this person"),
    "role": Sentence("the labs of this role"),
    "team": Sentence("the labs of this team"),
    "installation": Sentence("the labs of this installation"),
}


class OverBudget(RequestRefused):
    """A sum of money would exceed its ceiling. `asked`: the addition; `most`: the ceiling; millionths of USD. `scope`: whose sum;
    `month`: its month, or ""; `there`: the sum so far. `at_least`: a price is unknown. `findings`: the other faults.
    """

    scope, month, there, at_least = "lab", "", 0, False

    def __init__(self, message: Sentence, asked: int, most: int) -> None:
        self.asked, self.most = asked, most
        self.findings: tuple[Finding, ...] = ()
        super().__init__(message.with_slots(most=_dollars(most)))


class LabTooDear(OverBudget):
    """One lab costs more than the ceiling for one; `of`: an hour, or its lease."""

    def __init__(self, asked: int, most: int, of: str, *, at_least: bool) -> None:
        self.at_least = at_least
        message = Sentence("The lab costs {asked} {of}; the most that one may cost here is {most} {of}.", of=of)
        amount = Sentence("at least {amount}", amount=_dollars(asked)) if at_least else _dollars(asked)
        super().__init__(message.with_slots(asked=amount), asked, most)


class ApproverNeeded(OverBudget):
    """An existing lab would cost more to its lease's end than is allowed without an approver."""

    def __init__(self, asked: int, most: int) -> None:
        message = Sentence(
            "The lab would cost {asked} to its lease's end, and above {most} an approver must agree: an administrator "
            "whose lab it is not can make it so.",
            asked=_dollars(asked),
        )
        super().__init__(message, asked, most)


class MonthOverBudget(OverBudget):
    """A month's sum has no room for the lab."""

    def __init__(self, scope: str, asked: int, most: int, there: int, month: str) -> None:
        self.scope, self.there, self.month = scope, there, month
        message = Sentence(
            "It adds {asked} to {month}, and {left} is left: {labs} may cost {most} a month, and {there} of it is spent or "
            "reserved.",
            asked=_dollars(asked),
            month=month_of(month),
            left=_dollars(max(most - there, 0)),
            labs=_LABS_OF[scope],
            there=_dollars(there),
        )
        super().__init__(message, asked, most)


class IdempotencyConflict(RequestRefused):
    """The Idempotency-Key was used before, with a different body."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__("Idempotency-Key {key} was used with a different request.", key=key)


class WrongPhase(RequestRefused):
    """The lab's phase does not allow this. `phase` is the phase it is in."""

    def __init__(self, lab_id: str, phase: str, message: str, /, **slots: Slot) -> None:
        self.lab_id, self.phase = lab_id, phase
        super().__init__(message, **slots)


class ClusterNotWatched(RequestRefused):
    """The support watch keeps no such cluster: its account or region is not registered, or it has not been seen."""

    def __init__(self, account: str, region: str, name: str) -> None:
        super().__init__(
            "No cluster {name} of account {account} is watched in {region}: is the account "
            "registered for that region, and has a day's run gone by since the cluster was made?",
            name=name,
            account=account,
            region=region,
        )


class AccountNotRegistered(RequestRefused):
    """Administrators have registered no such account."""

    def __init__(self, account: str) -> None:
        super().__init__("Account {account} is not registered.", account=account)


class AccountInUse(RequestRefused):
    """Labs live in the account, so that this change is refused (`why`); `labs` are their ids."""

    def __init__(self, account: str, labs: tuple[str, ...], why: str) -> None:
        self.labs = labs
        names = joined((", ".join(labs[:5]), Sentence("and {number} more", number=len(labs) - 5) if labs[5:] else ""))
        said = Sentence("Labs of account {account} {why}: {names}. Release them first.")
        super().__init__(said.with_slots(account=account, why=why, names=names))


class UnknownLeftover(RequestRefused):
    """The receipt has no line of these ARNs that could be settled."""

    def __init__(self, lab_id: str, arns: tuple[str, ...]) -> None:
        self.arns = arns
        said = Sentence("The receipt of {lab} names nothing left in doubt as {names}.")
        super().__init__(said.with_slots(lab=lab_id, names=", ".join(arns[:5])))


class NotProved(RequestRefused):
    """Nothing proves that this service made the cluster, so it can't become a lab; the message names the missing proof."""


class NotYours(RequestRefused):
    """Everyone may read this; only its owner and administrators may change it."""


class LoginRefused(RequestRefused):
    """The answer of the login does not prove an identity. The message is for the person; the log has the fault."""


class NothingAhead(RequestRefused):
    """The cluster has no deadline that could be acknowledged or snoozed."""


class PolicyNotAllowed(RequestRefused):
    """The support policy can't be changed now; the message says why, and gives the remedy."""


class AddressPending(RequestRefused):
    """Somebody else requested this address, and its reader has not answered; one confirmation is pending at a time."""

    def __init__(self, address: str, until: datetime) -> None:
        self.address, self.until = address, until
        text = Sentence("A confirmation of {address} is pending until {until}: somebody else asked for it.")
        super().__init__(text.with_slots(address=address, until=format_second(until)))


class AddressRefused(RequestRefused):
    """The reader of this address answered that it does not belong to this person."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__("The reader of {address} said that it is not yours.", address=address)


class AskedTooOften(RequestRefused):
    """Too many confirmation mails to an address, or too many addresses requested by one person, in a day."""

    def __init__(self, message: str, /, **slots: Slot) -> None:
        super().__init__("{message} Try again tomorrow.", message=sentence(message, **slots))


class NoPlan(RequestRefused):
    """Nothing was planned for that day."""


class PlanChanged(RequestRefused):
    """The plan of `night` has the hash `present`, not the one that its reader saw; or (`broken`) not the published one."""

    def __init__(self, night: date, present: str, *, broken: bool = False) -> None:
        self.night, self.present = night, present
        changed = Sentence("The plan of {night} has the hash {hash} now: nothing was released. Look at it again.")
        another = Sentence(
            "The plan of {night} is not the one that was published: nothing was released. Look at it again."
        )
        super().__init__((another if broken else changed).with_slots(night=str(night), hash=present))


class LinkInvalid(RequestRefused):
    """A link that we did not sign. The message is always the same, so that an attacker learns nothing."""

    def __init__(self) -> None:
        super().__init__(
            "This is no link of this service. It may have been cut off: use it whole, as it stands in the mail."
        )


class LinkExpired(RequestRefused):
    """The link was ours, and valid until `expired_at`."""

    def __init__(self, expired_at: datetime) -> None:
        self.expired_at = expired_at
        at = Moment(expired_at, "UTC", Style.MINUTE)
        super().__init__("This link was good until {at}. It does nothing any more.", at=at)


class LinkBusy(RequestRefused):
    """The link is valid, and was used more often in a minute than by any person."""

    def __init__(self) -> None:
        super().__init__("This link was opened too often just now. Try again in a minute.")


class NotKept(RequestRefused):
    """The link is valid, but the lab can't be kept: it ends already or sleeps, or has been kept to its limit."""


class Unreadable(EkslabError):
    """A stored record does not have the shape that this code knows."""


class StaleLab(EkslabError):
    """The lab, or another record, was saved by others since it was loaded."""


class Superseded(EkslabError):
    """The lab's phase no longer belongs to this workflow run (it was released, say): stop, undo nothing."""


class Transient(EkslabError):
    """It may work in a moment. State machines retry it with backoff."""


class Throttled(Transient):
    """AWS asked us to slow down."""


class AwsUnavailable(Transient):
    """AWS answered 5xx, or did not answer. The act may or may not have happened."""


class AwsRefused(EkslabError):
    """AWS said no, in its own words."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        self.operation, self.code, self.message = operation, code, message
        super().__init__(Listed((operation, code, message), between=": "))


class AlreadyExists(AwsRefused):
    """The requested resource exists already."""


class ResourceGone(AwsRefused):
    """The resource does not exist."""


class StillInUse(AwsRefused):
    """Another resource uses it (DependencyViolation, ResourceInUse, DeleteConflict) and must be deleted first."""


class AccessDenied(AwsRefused):
    """The service's role, a boundary or a service control policy forbids this call."""


class ProvisioningFailed(EkslabError):
    """A provisioning step ended badly. `failure` has the reason in words and who can fix it."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.reason)
