"""The kubeconfig of a lab: an exec plugin that asks the `aws` command line for a token, so that it holds no secret."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.labs.lab import Lab


def kubeconfig(lab: Lab, endpoint: str, certificate_authority: str, access_role: str | None = None) -> dict[str, Any]:
    """The document in kubectl's format. Its user needs the `aws` CLI and an access entry on the cluster.

    `access_role`: the ARN of the role that has the entry, which the `aws` CLI assumes first; None: the user's own identity.
    """
    name = lab.facts.arn or lab.name
    cluster = {"server": endpoint, "certificate-authority-data": certificate_authority}
    arguments = ("eks", "get-token", "--cluster-name", lab.name, "--region", lab.region, "--output", "json")
    command = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": [*arguments, *(("--role-arn", access_role) if access_role else ())],
        "interactiveMode": "IfAvailable",
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"exec": command}}],
        "contexts": [{"name": lab.name, "context": {"cluster": name, "user": name}}],
        "current-context": lab.name,
    }
