"""Gathers the `ssh` sections of an eksctl file's node groups into the one ssh access that a lab has.

A lab has one key and one list of addresses for all its nodes. eksctl opens port 22 to the world; a lab opens it to the
caller's address, and says so.
"""

from __future__ import annotations

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.requests.draft import SshDraft
from chalicelib.domain.requests.eksctl.eksctl_nodegroups_unhonoured import SSH
from chalicelib.domain.requests.eksctl.reader import Reader

_NO_KEY = (
    "eksctl would read ~/.ssh/id_rsa.pub on your machine: put the key's text in ssh.publicKey, "
    "or an EC2 key name in ssh.publicKeyName."
)
_WHERE = "Port 22 is opened to your address only, not to the world, and on every node of the lab."


@dataclass
class LabSsh:
    """The ssh access gathered so far, and the path of the section that asked for it."""

    draft: SshDraft | None = None
    asked_at: str = ""

    def read(self, item: Reader) -> None:
        """Read one node group's ssh section."""
        ssh = item.section("ssh")
        if ssh is None:
            return
        allow, key_name, public_key = ssh.flag("allow"), ssh.text("publicKeyName"), ssh.text("publicKey")
        has_path = ssh.has("publicKeyPath")
        ssh.flag("enableSsm")  # Always on: every node role has AmazonSSMManagedInstanceCore.
        ssh.close(SSH)
        if allow is False:
            self._ignored(ssh, key_name, public_key)
        elif key_name or public_key:
            self._ask(ssh, SshDraft(key_name, public_key))
        elif allow and not has_path:
            ssh.error("allow", "missing-key", _NO_KEY)

    def _ignored(self, ssh: Reader, key_name: str | None, public_key: str | None) -> None:
        for key, value in (("publicKeyName", key_name), ("publicKey", public_key)):
            if value:
                ssh.warn(key, "not-honoured", "With `allow: false` the key is not put on the nodes, as with eksctl.")

    def _ask(self, ssh: Reader, asked: SshDraft) -> None:
        used = "publicKeyName" if asked.key_name else "publicKey"
        if self.draft is not None and self.draft != asked:
            ssh.error(used, "one-key", f"A lab has one ssh key for all its nodes: {self.asked_at} asks for another.")
            return
        if self.draft is None:
            self.draft, self.asked_at = asked, ssh.at(used)
            paths = {"ssh": "", "ssh.keyName": "publicKeyName", "ssh.publicKey": "publicKey", "ssh.cidrs": "allow"}
            ssh.notes.paths.update({ours: ssh.at(theirs) for ours, theirs in paths.items()})
        ssh.warn("allow", "narrowed", _WHERE)
