"""The records created by external-dns, known from its TXT registry in all its forms."""

from __future__ import annotations

import pytest

from chalicelib.domain.teardown.external_dns import ZoneRecord, owner_in, owners, record_arn, record_id, spoken_for


def txt(name: str, owner: str, set_id: str = "") -> ZoneRecord:
    text = f'"heritage=external-dns,external-dns/owner={owner},external-dns/resource=service/default/web"'
    return ZoneRecord(name, "TXT", set_id, (text,))


def address(name: str, type: str = "A", set_id: str = "", is_alias: bool = False) -> ZoneRecord:
    return ZoneRecord(name, type, set_id, ("192.0.2.1",), is_alias)


@pytest.mark.parametrize(
    ("value", "owner"),
    [
        ('"heritage=external-dns,external-dns/owner=lab-1,external-dns/resource=x"', "lab-1"),
        ('"heritage=external-dns,external-dns/owner=lab-1"', "lab-1"),
        ("heritage=external-dns,external-dns/owner=lab-1", "lab-1"),
        ('"heritage=external-dns,external-" "dns/owner=lab-1"', "lab-1"),
        ('"heritage=external-dns\\054external-dns/owner=lab-1"', "lab-1"),
        ('"heritage=external-dns,external-dns/resource=x,external-dns/owner=lab-1"', "lab-1"),
        ('"heritage=external-dns,external-dns/owner=lab-10"', "lab-10"),
        ('"external-dns/owner=lab-1"', None),
        ('"v=spf1 heritage=external-dns,external-dns/owner=lab-1"', None),
        ('"heritage=external-dns,external-dns/resource=external-dns/owner=lab-1"', None),
    ],
)
def test_the_owner_is_read_whole_however_it_is_quoted(value: str, owner: str | None) -> None:
    assert owner_in([value]) == owner


def test_values_that_disagree_name_no_owner() -> None:
    assert owner_in(txt("a.", "one").values + txt("a.", "two").values) is None


@pytest.mark.parametrize(
    ("record", "registry"),
    [
        (address("app.example.com."), "app.example.com."),
        (address("app.example.com."), "a-app.example.com."),
        (address("app.example.com.", "AAAA"), "aaaa-app.example.com."),
        (address("app.example.com.", "CNAME"), "cname-app.example.com."),
        (address("app.example.com.", is_alias=True), "cname-app.example.com."),
        (address("\\052.example.com."), "a-\\052.example.com."),
    ],
)
def test_a_record_belongs_to_the_owner_its_txt_record_names(record: ZoneRecord, registry: str) -> None:
    proof = txt(registry, "lab-1")
    assert owners([record, proof]) == {record: "lab-1", proof: "lab-1"}
    assert spoken_for(proof, [record]) == (record,)


@pytest.mark.parametrize(
    ("record", "registry"),
    [
        (address("app.example.com."), txt("cname-app.example.com.", "lab-1")),
        (address("app.example.com.", "AAAA"), txt("a-app.example.com.", "lab-1")),
        (address("app.example.com."), txt("app.example.com.", "lab-1", set_id="blue")),
        (address("app.example.com."), txt("b-app.example.com.", "lab-1")),
        (address("app.example.com.", "SOA"), txt("app.example.com.", "lab-1")),
    ],
)
def test_a_txt_record_of_something_else_proves_nothing(record: ZoneRecord, registry: ZoneRecord) -> None:
    assert record not in owners([record, registry])


def test_newer_txt_records_overrule_an_older_one_of_the_same_name() -> None:
    by_hand, made = address("app.example.com.", "AAAA"), address("app.example.com.")
    found = owners([by_hand, made, txt("app.example.com.", "lab-1"), txt("a-app.example.com.", "lab-1")])
    assert made in found
    assert by_hand not in found


def test_a_record_set_has_an_id_and_an_arn_of_its_own() -> None:
    weighted = address("app.example.com.", set_id="blue")
    assert record_id("Z1", weighted) == "Z1|app.example.com.|A|blue"
    assert record_arn("aws", "Z1|app.example.com.|A") == "arn:aws:route53:::hostedzone/Z1/app.example.com./A"
