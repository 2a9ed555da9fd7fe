"""Why a lab can't end: causes first, in AWS's words and by ARN, then the number of resources that wait for them. Pure.

AWS's refusals come before other people's resources, and those before resources that AWS reports as in use. Used by a blocked
lab's `reason`, its receipt's verdict and its `next`.
"""

from __future__ import annotations

from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.core.failure import PROTECTED
from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.core.sentence import Listed, Sentence, clause, ended
from chalicelib.domain.teardown.evidence import LAB_TAG
from chalicelib.domain.teardown.receipt import Receipt, ReceiptLine, ReceiptOutcome
from chalicelib.domain.teardown.unproven import unprotect_command

#: The beginning of a refusal: the call, then AWS's code.
_REFUSED = pattern(r"[a-z0-9-]+:[A-Z][A-Za-z]+: ")
_LEFT = (ReceiptOutcome.BLOCKED, ReceiptOutcome.PRESENT)
#: Order of causes: a resource comes before those that it starts or holds.
_HOLDERS = (
    Kind.STACK,
    Kind.CLUSTER,
    Kind.NODEGROUP,
    Kind.FARGATE_PROFILE,
    Kind.AUTO_SCALING_GROUP,
    Kind.INSTANCE,
    Kind.LOAD_BALANCER,
    Kind.CLASSIC_LOAD_BALANCER,
    Kind.VPC_ENDPOINT,
    Kind.NAT_GATEWAY,
    Kind.MOUNT_TARGET,
    Kind.ROUTE_TABLE,
    Kind.SECURITY_GROUP,
    Kind.ELASTIC_IP,
)
#: Kinds that the service may delete only with the lab's tag. A test compares them with `.chalice/statements.json`.
BY_LAB_TAG = frozenset(
    {
        Kind.INSTANCE,
        Kind.KEY_PAIR,
        Kind.LAUNCH_TEMPLATE,
        Kind.NETWORK_INTERFACE,
        Kind.VOLUME,
        Kind.SNAPSHOT,
        Kind.VPC_ENDPOINT,
        Kind.ELASTIC_IP,
        Kind.LOAD_BALANCER,
        Kind.CLASSIC_LOAD_BALANCER,
        Kind.TARGET_GROUP,
    }
)
#: The most causes that are listed one by one.
_TOLD = 4


def why_refused(thing: Resource, lab_id: str, refusal: str, denied: bool) -> str:
    """AWS's words, then the next step if there is one. `denied`: by IAM; a protected resource is refused to everybody."""
    if PROTECTED.search(refusal):
        off = unprotect_command(thing)
        words = clause(refusal)
        if not off:
            return Sentence(
                "{refusal}. Next: switch its protection off; then `ekslab delete cluster` again.", refusal=words
            )
        return Sentence(
            "{refusal}. Next: switch its protection off (`{command}`); then `ekslab delete cluster` again.",
            refusal=words,
            command=off,
        )
    return _why_denied(thing, lab_id, refusal) if denied else refusal


def _why_denied(thing: Resource, lab_id: str, refusal: str) -> str:
    """IAM limits the service's permissions by tags, which a proved resource may lack."""
    untagged = thing.kind in BY_LAB_TAG and LAB_TAG not in thing.tags
    if not untagged:
        return Sentence(
            "{refusal}. Next: let somebody who has the right delete it by the receipt's command; then `ekslab delete cluster` "
            "again.",
            refusal=clause(refusal),
        )
    return Sentence(
        "{refusal}. The service's right to delete it is bound to tags, and it does not bear {tag}. Next: let an administrator tag "
        "it {tag}={lab}, or delete it by the receipt's command; then `ekslab delete cluster` again.",
        refusal=clause(refusal),
        tag=LAB_TAG,
        lab=lab_id,
    )


def things_left(receipt: Receipt) -> tuple[ReceiptLine, ...]:
    """The lines of resources that remain against the lab's will."""
    return tuple(line for line in receipt.lines if line.outcome in _LEFT)


def causes_of(receipt: Receipt) -> tuple[ReceiptLine, ...]:
    """The lines with a cause, the root first; empty if nothing is left. If all of them only wait, all lines."""
    left = things_left(receipt)
    causes = [line for line in left if not line.waits_for]
    return tuple(sorted(causes or left, key=_root_first))


def why_left(receipt: Receipt) -> str:
    """The causes, then the number of resources that wait for them, then the unreadable sources; empty if the receipt is done."""
    left, causes = things_left(receipt), causes_of(receipt)
    told = ended(Listed([_in_words(line) for line in causes[:_TOLD]], between="; ")) if causes else ""
    parts = [told, _waiting(len(left), causes)]
    if receipt.unreadable:
        parts.append(Sentence("Could not be looked at: {names}.", names=Listed(receipt.unreadable[:3], between="; ")))
    said = [part for part in parts if part]
    return Listed(said, between=" ") if said else ""


def _root_first(line: ReceiptLine) -> tuple[bool, bool, int, str]:
    kinds = [str(kind) for kind in _HOLDERS]
    rank = kinds.index(line.kind) if line.kind in kinds else len(kinds)
    refused = _REFUSED.match(line.reason) is not None
    return line.outcome is not ReceiptOutcome.BLOCKED, not refused, rank, line.arn


def _in_words(line: ReceiptLine) -> str:
    parts = (
        [clause(line.reason), f"({line.arn})"] if _REFUSED.match(line.reason) else [f"{line.arn}:", clause(line.reason)]
    )
    return Listed(parts, between=" ")


def _waiting(count: int, causes: tuple[ReceiptLine, ...]) -> str:
    """A sentence on the resources that wait for the causes."""
    more = count - min(len(causes), _TOLD)
    if not more:
        return ""
    return Sentence(
        "{n} more of the lab's things is still there: most wait for that.",
        "{n} more of the lab's things are still there: most wait for that.",
        n=more,
    )
