"""An account that no longer admits the service: its labs are unreadable, and that is no evidence."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta

from chalicelib.aws.clients.assumed_roles import AssumedClient, AssumedClients
from chalicelib.aws.clients.registered_roles import MemberRoles
from chalicelib.aws.eks.calls import state_of
from chalicelib.aws.idleness.evidence import Reading
from chalicelib.aws.idleness.kubernetes import KubernetesUseReading
from chalicelib.aws.idleness.reader import AwsSignals, SignalClients
from chalicelib.aws.kubernetes.cluster import KubernetesApi
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.tree import AccessDenied
from chalicelib.domain.idleness.judge import judge
from tests.fakes import NOW, a_lab

MEMBER = "444455556666"


def test_labs_of_an_account_that_cannot_be_entered_are_unread_and_never_idle_nor_gone() -> None:
    roles = MemberRoles(lambda: (), lambda: NOW)
    assumed = AssumedClients(None, lambda *_: None, lambda: NOW)
    clients = {
        field.name: AssumedClient(assumed, lambda: roles.role_of(MEMBER), "eks", "us-east-1")
        for field in fields(SignalClients)
    }
    lab = replace(a_lab(), account=MEMBER)

    def token(_cluster: str) -> str:
        raise AccessDenied("sts:AssumeRole", "AccessDenied", "no")

    reading = Reading(lab)
    reading.cluster = state_of({"endpoint": "https://nowhere.invalid"})
    KubernetesUseReading(token).read(reading)
    assert "sts:AssumeRole" in str(reading.kubernetes_problem)
    known = replace(lab, facts=replace(lab.facts, endpoint="https://nowhere.invalid"))
    kubernetes = KubernetesApi(token, lambda _lab: None, str)
    assert not kubernetes.nodes(known).reachable
    assert not kubernetes.sweep(known).reachable
    signals = AwsSignals(SignalClients(**clients), token, lambda: roles.role_of(MEMBER))
    evidence = signals.read([lab], NOW, timedelta(hours=3))[lab.id]
    assert any("is not registered" in each for each in evidence.unread)
    verdict = judge(lab, evidence, CurfewRules(), NOW)
    assert (verdict.idle, verdict.gone) == (False, False)
