"""Errors in Korean texts: particles in both forms, and English other than names, commands and terms."""

from __future__ import annotations

import re

from chalicelib.words.korean import PARTICLES

#: English words allowed in Korean texts: names of AWS, Kubernetes and this service, and units.
_TERMS = """
    aws eks ec2 ebs iam api kubernetes kubectl eksctl ekslab persistentvolumeclaim fargate cron cronjob job cpu gpu network
    dns vpc cidr nat ssh session manager cloudwatch cloudtrail kib s h d min usd kst utc asia seoul http https html csv json yaml
    ekslab-url addon eniconfig karpenter standard extended service quotas windows linux ami id arn url sns ses cloudformation
    pip install get nodes aws-auth configmap nitro enclaves capabilities
    identity center signature v4 execute-api openapi.json kubeconfig pod auto scaling cost explorer
"""
TERMS = frozenset(_TERMS.split())
_QUOTED = re.compile(
    r"`[^`]*`|```.*?```|\"[^\"]*\"|<code>.*?</code>|<pre.*?</pre>|<[^>]*>|https?://\S+|&\w+;", re.DOTALL
)
_COMMAND = re.compile(r"(?m)^ {2,}\S.*$")
_RUN = re.compile(r"[A-Za-z][\w.'-]*(?: +[A-Za-z][\w.'-]*)+", re.ASCII)


def unresolved(text: str) -> list[str]:
    """Particles that are left in both forms."""
    return [written for written in PARTICLES if written in text]


def english_left(text: str, names: frozenset[str] = frozenset()) -> list[str]:
    """Two or more English words in a row, except terms, names, quotations, commands and addresses."""
    plain = _COMMAND.sub(" ", _QUOTED.sub(" ", text))
    found = []
    for run in _RUN.findall(plain):
        words = [word for word in run.split() if word.lower().strip(".'") not in TERMS | names]
        if len(words) > 1:
            found.append(run)
    return found
