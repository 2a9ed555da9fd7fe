"""Client request tokens: the same request twice has one effect.

A token is remembered with its input and answer while the thing it made exists. The answer holds the live description,
so a repeated request is answered with the current state.
"""

from __future__ import annotations

from typing import Any

from emulator.eks.http.call import Call
from emulator.eks.http.errors import invalid_parameter

Output = dict[str, Any]


class Tokens:
    """Answers by account, region, operation and token."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str, str, str], tuple[Output, Output]] = {}

    def answer(self, call: Call) -> Output | None:
        """Return the earlier answer to this request, None for a new one.

        Raises InvalidParameterException for a token that came with other parameters.
        """
        known = self._answers.get(_key(call))
        if known is None:
            return None
        given, output = known
        if given != call.given:
            raise invalid_parameter("The client request token was used with different parameters before")
        return output

    def remember(self, call: Call, output: Output) -> None:
        """Keep the answer if the request had a token."""
        if call.given.get("clientRequestToken"):
            self._answers[_key(call)] = (call.given, output)

    def forget(self, described: dict[str, Any]) -> None:
        """Forget the request that created this deleted resource."""
        gone = [key for key, (_, output) in self._answers.items() if any(v is described for v in output.values())]
        for key in gone:
            del self._answers[key]


def _key(call: Call) -> tuple[str, str, str, str]:
    return (call.caller.account, call.caller.region, call.operation, call.given.get("clientRequestToken", ""))
