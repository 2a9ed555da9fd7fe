"""Key pairs: imported once by a name and described with their tags, and deleted by id as well as by name."""

import re
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import ec2

from emulator.ec2.actions import ACTIONS, Action, Params, Refused, answering, param, records, tags


def install() -> None:
    """Correct the actions on key pairs."""
    ACTIONS["DescribeKeyPairs"] = _tagged(ACTIONS["DescribeKeyPairs"])
    ACTIONS["ImportKeyPair"] = answering(_tagging(ACTIONS["ImportKeyPair"]))
    ACTIONS["DeleteKeyPair"] = _by_id(ACTIONS["DeleteKeyPair"])


def _tagging(import_pair: Action) -> Action:
    def import_with_tags(params: Params) -> Any:
        if param(params, "KeyName") in {pair["KeyName"] for pair in records("key_pairs")}:
            raise Refused("InvalidKeyPair.Duplicate", f"The keypair '{param(params, 'KeyName')}' already exists.")
        answer = import_pair(params)
        for pair in records("key_pairs"):
            if pair["KeyName"] == param(params, "KeyName") and answer[0] == 200:
                ec2._parse_tag_specs(params, "key-pair", pair["KeyPairId"])
        return answer

    return import_with_tags


def _tagged(describe: Action) -> Action:
    def describe_with_tags(params: Params) -> Any:
        status, headers, body = describe(params)
        text = re.sub(r"<keyPairId>(key-[0-9a-f]+)</keyPairId>", _with_tags, body.decode())
        return status, headers, text.encode()

    return describe_with_tags


def _with_tags(found: re.Match[str]) -> str:
    items = "".join(
        f"<item><key>{escape(tag['Key'])}</key><value>{escape(tag['Value'])}</value></item>"
        for tag in tags().get(found[1], [])
    )
    return f"{found[0]}<tagSet>{items}</tagSet>"


def _by_id(delete: Action) -> Action:
    def delete_by_id(params: Params) -> Any:
        names = [pair["KeyName"] for pair in records("key_pairs") if pair["KeyPairId"] == param(params, "KeyPairId")]
        return delete({**params, "KeyName": names} if names else params)

    return delete_by_id
