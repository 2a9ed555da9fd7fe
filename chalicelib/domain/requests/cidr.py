"""IPv4 blocks in the notation of a request."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_network

from chalicelib.domain.core.sentence import Sentence

#: RFC 1918, and RFC 6598's shared space, which a VPC may have, too.
PRIVATE_BLOCKS = tuple(
    IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)


def strict_network(text: str) -> IPv4Network | str:
    """Parse an IPv4 CIDR; return the reason as a sentence if that fails."""
    if "/" not in text:
        return Sentence("{text} is no CIDR: it needs a prefix length, such as /32 for one address.", text=f"{text!r}")
    try:
        block = ip_network(text, strict=False)
    except ValueError:
        return Sentence("{text} is no CIDR: they look like 203.0.113.0/24.", text=f"{text!r}")
    if not isinstance(block, IPv4Network):
        return Sentence("{text} is IPv6: labs are IPv4 only.", text=text)
    if str(block) != text:
        return Sentence("{text} names a host within its block; the block is {block}.", text=text, block=str(block))
    return block
