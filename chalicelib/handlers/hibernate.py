"""Hibernate's Lambdas: they put a lab to sleep."""

from __future__ import annotations

from chalicelib.handlers.factory import lab_step
from chalicelib.workflows import hibernate

hibernate_begin = lab_step(hibernate.begin)
hibernate_revoke_access = lab_step(hibernate.revoke_access)
hibernate_shrink_nodegroups = lab_step(hibernate.shrink_nodegroups)
hibernate_finish = lab_step(hibernate.finish)
hibernate_give_up = lab_step(hibernate.give_up)
