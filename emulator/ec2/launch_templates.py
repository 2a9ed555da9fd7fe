"""Launch templates name the principal that made them, each version its own; ministack names the account's root."""

import re
from typing import Any

from emulator.core.identities import current
from emulator.ec2.actions import ACTIONS, Action, Params, param, records

_TEMPLATE = re.compile(r"<launchTemplateId>(lt-[0-9a-f]+)</launchTemplateId>.*?<createdBy>[^<]*</createdBy>", re.DOTALL)
_CREATOR = re.compile(r"<createdBy>[^<]*</createdBy>")
_VERSION = re.compile(r"<versionNumber>(\d+)</versionNumber>")


def install() -> None:
    """Correct the actions on launch templates."""
    for action in ("CreateLaunchTemplate", "CreateLaunchTemplateVersion"):
        ACTIONS[action] = _creating(ACTIONS[action])
    for action in ("DescribeLaunchTemplates", "DescribeLaunchTemplateVersions", "ModifyLaunchTemplate"):
        ACTIONS[action] = _naming(ACTIONS[action])


def _creating(create: Action) -> Action:
    def create_and_sign(params: Params) -> Any:
        answer = create(params)
        if answer[0] == 200:
            wanted = (param(params, "LaunchTemplateId"), param(params, "LaunchTemplateName"))
            for template in records("launch_templates"):
                if template["LaunchTemplateId"] == wanted[0] or template["LaunchTemplateName"] == wanted[1]:
                    template.setdefault("CreatedBy", current().arn)
                    template["Versions"][-1]["CreatedBy"] = current().arn
        return _named(answer)

    return create_and_sign


def _naming(act: Action) -> Action:
    return lambda params: _named(act(params))


def _named(answer: Any) -> Any:
    status, headers, body = answer
    return status, headers, _TEMPLATE.sub(_with_creator, body.decode()).encode()


def _with_creator(found: re.Match[str]) -> str:
    template = next((each for each in records("launch_templates") if each["LaunchTemplateId"] == found[1]), {})
    number = _VERSION.search(found[0])
    versions = {str(each["VersionNumber"]): each for each in template.get("Versions", [])}
    creator = (versions.get(number[1], {}) if number else template).get("CreatedBy")
    return _CREATOR.sub(f"<createdBy>{creator}</createdBy>", found[0]) if creator else found[0]
