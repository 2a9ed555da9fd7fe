"""Rules for access to the API server and to port 22: valid address lists, valid keys."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from chalicelib.domain.core.names import PUBLIC_KEY
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.labs.spec import EndpointAccess
from chalicelib.domain.requests.cidr import PRIVATE_BLOCKS, strict_network
from chalicelib.domain.requests.defaults import ValidationContext

ALLOWED = "endpoint.allowedCidrs"
API_IS = Sentence("The Kubernetes API is open to the whole internet.")
#: The documentation's addresses (RFC 5737): EKS refuses them like private ones, "The following CIDRs are not allowed in
#: publicAccessCidrs", according to users' reports.
RESERVED_BLOCKS = tuple(IPv4Network(block) for block in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))
#: EKS' quota of blocks on an endpoint's allow-list; a security group's rules are of the same order.
_MOST_CIDRS = 40
_NO_ADDRESS = Sentence("Your address is not known or not IPv4, so say from where it is to be reached.")


def judge_endpoint(case: ValidationContext) -> Iterator[Finding]:
    """The endpoint mode and its allow-list fit each other."""
    endpoint, asked = case.spec.endpoint, case.draft.endpoint_access
    if endpoint.access is EndpointAccess.PRIVATE:
        yield from _judge_private(case)
        return
    if case.draft.allowed_cidrs is None and not endpoint.allowed_cidrs:
        yield error(ALLOWED, "no-address", _NO_ADDRESS)
    elif not endpoint.allowed_cidrs:
        message = Sentence("An empty list lets EKS open the endpoint to the world: name addresses, or choose private.")
        yield error(ALLOWED, "empty", message)
    if asked is EndpointAccess.PUBLIC and endpoint.access is not asked and endpoint.allowed_cidrs:
        message = Sentence(
            "Nodes are not on the allow-list: the private endpoint is opened beside the public one, or none could join."
        )
        yield warning("endpoint.access", "private-added", message)
    if case.draft.allowed_cidrs:
        yield from judge_cidrs(ALLOWED, case.draft.allowed_cidrs, API_IS)


def _judge_private(case: ValidationContext) -> Iterator[Finding]:
    if case.draft.allowed_cidrs:
        message = Sentence("A private endpoint has no allow-list: everything in the network reaches it.")
        yield warning(ALLOWED, "not-honoured", message)
    if case.spec.work_host is None:
        message = Sentence(
            "A private endpoint is reached from inside its network only, and the lab has no work host there."
        )
        yield warning("endpoint.access", "no-way-in", message)


def judge_ssh(case: ValidationContext) -> Iterator[Finding]:
    """One key, of a type that EC2 imports, and source addresses."""
    ssh = case.spec.ssh
    if ssh is None or case.draft.ssh is None:
        return
    if bool(ssh.key_name) == bool(ssh.public_key) and not case.draft.is_partly_broken("ssh"):
        yield error(
            "ssh", "one-key", "Give either keyName (a key pair in EC2) or publicKey (an OpenSSH public key's text)."
        )
    if ssh.public_key and "PRIVATE KEY" in ssh.public_key:
        yield error(
            "ssh.publicKey", "private-key", "This is a private key: never send it. Make a new pair, send its .pub file."
        )
    elif ssh.public_key and not PUBLIC_KEY.fullmatch(ssh.public_key):
        yield error(
            "ssh.publicKey",
            "invalid-key",
            "Not an OpenSSH public key that EC2 imports: `ssh-rsa AAAA...` or `ssh-ed25519 AAAA...`",
        )
    if ssh.key_name and len(ssh.key_name) > 255:
        yield error("ssh.keyName", "invalid-name", "EC2's key names have at most 255 characters.")
    if not ssh.cidrs:
        yield error(
            "ssh.cidrs",
            "no-address",
            _NO_ADDRESS if case.draft.ssh.cidrs is None else Sentence("Name at least one block."),
        )
    yield from judge_cidrs("ssh.cidrs", case.draft.ssh.cidrs or (), Sentence("Port 22 is open to the whole internet."))


def judge_cidrs(path: str, cidrs: tuple[str, ...], what: str) -> Iterator[Finding]:
    """Each a valid block, once; `what` names the exposure if everybody is let in."""
    seen: list[IPv4Network] = []
    if len(cidrs) > _MOST_CIDRS:
        yield error(path, "too-many", "At most {most} blocks, not {number}.", most=_MOST_CIDRS, number=len(cidrs))
    for index, text in enumerate(cidrs[:_MOST_CIDRS]):
        here, block = f"{path}[{index}]", strict_network(text)
        if isinstance(block, str):
            yield error(here, "invalid-cidr", block)
            continue
        covering = next((other for other in seen if other.overlaps(block)), None)
        if covering is not None:
            again = Sentence("{text} is listed already.", text=text)
            within = Sentence("{text} overlaps {other}, listed already.", text=text, other=str(covering))
            yield error(here, "cidr-overlaps", again if covering == block else within)
        if block.prefixlen == 0:
            yield warning(here, "open-to-the-world", what)
        elif any(block.subnet_of(private) for private in PRIVATE_BLOCKS):
            yield _private_address(here, text, path == ALLOWED)
        elif path == ALLOWED and any(block.subnet_of(reserved) for reserved in RESERVED_BLOCKS):
            yield error(
                here, "reserved-address", "{text} is reserved for documentation: EKS refuses the list.", text=text
            )
        seen.append(block)


def _private_address(path: str, text: str, of_endpoint: bool) -> Finding:
    """A security group accepts such a block, EKS refuses it: its list may hold no reserved addresses (AWS's Knowledge Center)."""
    if of_endpoint:
        message = Sentence(
            "{text} is private: nobody comes from there over the internet, and EKS refuses the list. The private endpoint is for "
            "those.",
            text=text,
        )
        return error(path, "private-address", message)
    return warning(path, "private-address", "{text} is private: nobody comes from there over the internet.", text=text)
