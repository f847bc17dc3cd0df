"""What a client of Altinn 2's form asks for, read from a body or a link (consent.md §2.2, §2.7)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from starlette.requests import Request

from fullmakt.altinn.consents.altinn2.asking import AskedService, read_asked
from fullmakt.altinn.consents.altinn2.certificates import certificates_in, presented_by
from fullmakt.altinn.consents.altinn2.errors import RequestRefusedError
from fullmakt.altinn.consents.altinn2.links import read_link
from fullmakt.altinn.consents.model import PortalViewMode
from fullmakt.altinn.consents.srr.model import ServiceKey

LINK = (
    "Resources=4629_2.4630_2&CoveredBy=313876144&OfferedBy=08027202285&RedirectUrl=https://bank.example/"
    "&ValidToDate=2027-09-30%2010:30:00&LanguageCode=nb-NO&DelegationContext=L%C3%A5n&ResponseType=code"
    "&4629_2_inntektsaar=2016"
)


def body(**changes: Any) -> dict[str, Any]:
    given = {
        "CoveredBy": "313876144",
        "OfferedBy": "08027202285",
        "OfferedByName": "GRØNSETH",
        "ValidTo": "2027-05-01T10:00:00.000Z",
        "RedirectUrl": "https://bank.example/retur",
        "RequestResources": [{"ServiceCode": "5498", "ServiceEditionCode": 1, "Metadata": {"Navn": "Banken AS"}}],
        **changes,
    }
    return {name.lower(): value for name, value in given.items()}


def test_a_request_is_read_in_any_case_with_numbers_as_text() -> None:
    resources = [{"serviceCode": "5498", "serviceEditionCode": "1", "Metadata": {"aar": 2025, "sats": 1.5}}]
    asked = read_asked(
        body(RequestResources=resources, PortalViewMode="show", RequestMessage={"no-nb": "Hei", "en": ""})
    )
    assert asked.services == (AskedService(ServiceKey("5498", 1), {"aar": "2025", "sats": "1.5"}),)
    assert asked.portal_view_mode is PortalViewMode.SHOW
    assert asked.message == {"nb": "Hei"}
    assert asked.valid_to == dt.datetime(2027, 5, 1, 10, tzinfo=dt.UTC)
    assert "08027202285" not in repr(asked)


def test_the_other_name_of_the_services_is_read_too() -> None:
    services = [{"serviceCode": "5498", "serviceEditionCode": 1, "operations": ["read"], "metadata": {}}]
    asked = read_asked(body(RequestResources=None, requestServices=services, serverNotificationUrl="https://x.test"))
    assert asked.services == (AskedService(ServiceKey("5498", 1)),)


_SERVICE = {"ServiceCode": "5498", "ServiceEditionCode": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"CoveredBy": None},
        {"CoveredBy": 313876144},
        {"OfferedBy": ["08027202285"]},
        {"OfferedByName": "GRØN\nSETH"},
        {"OfferedByName": "x" * 256},
        {"OfferedByName": "x\x00"},
        {"RedirectUrl": ""},
        {"RedirectUrl": "https://bank.example/" + "x" * 2_048},
        {"ValidTo": "om et år"},
        {"ValidTo": 1777888800},
        {"RequestResources": []},
        {"RequestResources": {}},
        {"RequestResources": [None]},
        {"RequestResources": [{}]},
        {"RequestResources": [{"ServiceCode": "5498"}]},
        {"RequestResources": [{"ServiceCode": 5498, "ServiceEditionCode": 1}]},
        {"RequestResources": [{"ServiceCode": "5498", "ServiceEditionCode": True}]},
        {"RequestResources": [{"ServiceCode": "5498", "ServiceEditionCode": -1}]},
        {"RequestResources": [{"ServiceCode": "5498", "ServiceEditionCode": 1.0}]},
        {"RequestResources": [{"ServiceCode": "5498_1", "ServiceEditionCode": 1}]},
        {"RequestResources": [_SERVICE, _SERVICE]},
        {"RequestResources": [_SERVICE] * 21},
        {"RequestResources": [{**_SERVICE, "Metadata": []}]},
        {"RequestResources": [{**_SERVICE, "Metadata": {"a": {}}}]},
        {"RequestResources": [{**_SERVICE, "Metadata": {"a": True}}]},
        {"RequestResources": [{**_SERVICE, "Metadata": {"a": "1", "A": "2"}}]},
        {"RequestResources": [{**_SERVICE, "Metadata": {"a": "x" * 501}}]},
        {"RequestResources": [{**_SERVICE, "Metadata": {"a": "linje\nskift"}}]},
        {"RequestResources": [{**_SERVICE, "Metadata": {str(number): "x" for number in range(21)}}]},
        {"RequestMessage": "Hei"},
        {"RequestMessage": {"de": "Hallo"}},
        {"RequestMessage": {"en": 1}},
        {"RequestMessage": {"en": "x" * 4_001}},
        {"RequestMessage": {"en": "\x00"}},
        {"PortalViewMode": "Maybe"},
        {"HandledBy": 1},
    ],
    ids=str,
)
def test_what_can_not_be_read_is_refused_with_an_error_of_the_array(changes: Mapping[str, Any]) -> None:
    with pytest.raises(RequestRefusedError) as refused:
        read_asked(body(**changes))
    assert refused.value.status == 400
    assert all(error.document().keys() == {"ErrorCode", "ErrorMessage"} for error in refused.value.errors)


def test_a_link_of_old_is_read() -> None:
    link = read_link(parse_qsl(LINK))
    assert link.services == (
        AskedService(ServiceKey("4629", 2), {"inntektsaar": "2016"}),
        AskedService(ServiceKey("4630", 2)),
    )
    assert (link.covered_by, link.offered_by, link.language, link.message) == ("313876144", "08027202285", "nb", "Lån")
    assert link.valid_to == dt.datetime(2027, 9, 30, 10, 30, tzinfo=dt.UTC)
    assert link.is_for("08027202285")
    assert "08027202285" not in repr(link)


def test_a_link_with_a_user_token_is_for_one_person() -> None:
    digest = hashlib.sha256(b"08027202285").hexdigest()
    for written in (digest, digest.upper()):
        link = read_link(parse_qsl(f"{LINK}&UserToken={written}"))
        assert link.is_for("08027202285")
        assert not link.is_for("30918899991")


@pytest.mark.parametrize(
    "link",
    [
        LINK.replace("ResponseType=code", "ResponseType=token"),
        LINK.replace("Resources=4629_2.4630_2", "Resources="),
        LINK.replace("Resources=4629_2.4630_2", "Resources=4629.4630"),
        LINK.replace("Resources=4629_2.4630_2", "Resources=4629_2.4629_2"),
        LINK.replace("Resources=4629_2.4630_2", f"Resources={'.'.join(f'{n}_1' for n in range(21))}"),
        LINK.replace("CoveredBy=313876144&", ""),
        LINK.replace("RedirectUrl=https://bank.example/&", ""),
        LINK.replace("2027-09-30%2010:30:00", "i%20morgen"),
        LINK.replace("DelegationContext=L%C3%A5n&", ""),
        f"{LINK}&coveredby=999999999",
        f"{LINK}&UserToken={'x' * 65}",
        f"{LINK}&4630_2_x={'x' * 501}",
    ],
)
def test_a_link_that_is_none_is_refused(link: str) -> None:
    with pytest.raises(RequestRefusedError):
        read_link(parse_qsl(link))


DER = base64.b64encode(b"a certificate, as far as this goes").decode()
PEM = f"-----BEGIN CERTIFICATE-----\n{DER}\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "header",
    [f":{DER}:", DER, quote(PEM, safe=""), PEM.replace("\n", " "), PEM.replace("\n", "\t")],
    ids=["rfc9440", "base64", "nginx", "spaces", "tabs"],
)
def test_a_certificate_is_read_as_proxies_write_it(header: str) -> None:
    assert certificates_in(header) == [DER]


def test_a_chain_in_pem_is_read_leaf_first() -> None:
    assert certificates_in(quote(PEM + PEM)) == [DER, DER]


@pytest.mark.parametrize(
    "header", ["", "::", ":not base64:", "-----BEGIN CERTIFICATE-----", quote(PEM * 9), "æ", "x" * 70_000, "%"]
)
def test_what_holds_no_certificate_is_none(header: str) -> None:
    assert certificates_in(header) == []


OTHER = base64.b64encode(b"the one that a header holds").decode()


def shown(*chain: str, **headers: str) -> Request:
    """A request over a connection that was made with ``chain``."""
    written = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": written, "extensions": {"tls": {"client_cert_chain": list(chain)}}})


def test_without_a_header_the_certificate_of_the_connection_counts_and_no_header() -> None:
    assert presented_by(shown(PEM, PEM, cert=OTHER), None) == [DER, DER]
    assert presented_by(shown(cert=OTHER), None) == []
    assert presented_by(Request({"type": "http", "headers": []}), None) == []


def test_with_a_header_the_connection_is_a_proxys_and_its_certificate_nobodys() -> None:
    assert presented_by(shown(PEM, cert=OTHER), "cert") == [OTHER]
    assert presented_by(shown(PEM), "cert") == []


def test_a_header_that_is_there_twice_holds_nothing() -> None:
    twice = [(b"cert", OTHER.encode()), (b"cert", DER.encode())]
    assert presented_by(Request({"type": "http", "headers": twice}), "cert") == []
