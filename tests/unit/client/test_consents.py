"""Consents asked for with the SDK, in either form: what goes over the line, and what is made of Altinn's answers."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from fullmakt.client import (
    AccessDeniedError,
    Altinn2ConsentClient,
    Altinn2ConsentRequest,
    AsyncAltinn2ConsentClient,
    AsyncConsentClient,
    AsyncMaskinportenClient,
    ChangedConsents,
    ConsentClient,
    ConsentError,
    ConsentForbiddenError,
    ConsentNotFoundError,
    ConsentRefusedError,
    ConsentRequest,
    ConsentRight,
    ConsentService,
    ConsentUnavailableError,
    Credentials,
    MaskinportenClient,
    UnexpectedConsentResponseError,
)
from fullmakt.jose.compact import parse_compact
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import InvalidIdentifierError
from tests.support.fake_issuer import ISSUER, FakeIssuer, refusal

PID, RECEIVER, SUPPLIER = "05895199925", "313876144", "310149942"
ID = UUID("77ed8698-e619-4066-9eb4-5c1eb3f165a1")
GIVER = f"urn:altinn:person:identifier-no:{PID}"
VALID_TO = dt.datetime(2027, 7, 18, 6, 18, 12, tzinfo=dt.UTC)
API, OLD_API = "https://altinn.test/accessmanagement", "https://altinn.test/altinn2"
BASE = "/accessmanagement/api/v1/enterprise/consentrequests"
REQUEST = ConsentRequest(
    giver=PID,
    receiver=RECEIVER,
    rights=[ConsentRight("saldo", metadata={"inntektsaar": "2024"})],
    redirect_url="https://bank.example/back",
    valid_to=VALID_TO,
    id=ID,
)
OLD_REQUEST = Altinn2ConsentRequest(
    offered_by=PID,
    offered_by_name="GRØNSETH",
    covered_by=RECEIVER,
    services=[ConsentService("5498", 1, {"Navn": "Banken AS"})],
    redirect_url="https://bank.example/back",
    valid_to=VALID_TO,
)
ASKED: dict[str, Any] = {
    "id": str(ID), "from": GIVER, "to": f"urn:altinn:organization:identifier-no:{RECEIVER}", "status": "Created",
    "consented": None, "validTo": "2027-07-18T06:18:12+00:00", "viewUri": f"https://am.ui.test/?id={ID}",
    "consentRequestEvents": [{"eventType": "Created"}],
}  # fmt: skip
OLD_ASKED: dict[str, Any] = {
    "AuthorizationCode": str(ID), "RequestStatus": "Unopened", "OfferedBy": "058951*****",
    "_links": {"gui": {"href": f"https://altinn.test/ui/AccessConsent/request?id={ID}"}},
}  # fmt: skip
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhbHRpbm4ubm8ifQ.c2lnbmF0dXJl"


class Altinn:
    """Answers whatever it is asked with the next of ``answers``; without one, with no connection. Keeps what it saw."""

    def __init__(self, issuer: FakeIssuer) -> None:
        self._issuer = issuer
        self.answers: list[Response] = []
        self.seen: list[Request] = []
        self.bodies: list[Any] = []
        self._app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """Both servers, by their hosts."""
        host = dict(scope["headers"]).get(b"host", b"") if scope["type"] == "http" else b""
        await (self._issuer.app if host == b"issuer.test" else self._app)(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        self.seen.append(request)
        body = await request.body()
        self.bodies.append(json.loads(body) if body else None)
        if not self.answers:
            raise httpx2.ConnectError("the line is cut")
        return self.answers.pop(0)

    @property
    def calls(self) -> list[tuple[str, str, str | None]]:
        """Method, path, and the scope of the token, of each call."""
        return [(one.method, one.url.path, _scope_of(one)) for one in self.seen]


def _scope_of(request: Request) -> str | None:
    shown = request.headers.get("authorization", "").removeprefix("Bearer ")
    return str(parse_compact(shown).unverified_payload["scope"]) if shown else None


@pytest.fixture
def altinn(issuer: FakeIssuer) -> Altinn:
    return Altinn(issuer)


@pytest.fixture
def credentials(issuer: FakeIssuer) -> Credentials:
    return Credentials(ISSUER, "the-client", issuer.client_key)


@pytest.fixture
def line(altinn: Altinn) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(altinn.app))


@pytest.fixture
def source(credentials: Credentials, clock: FixedClock, line: httpx2.AsyncClient) -> AsyncMaskinportenClient:
    return AsyncMaskinportenClient(credentials, clock=clock, http=line)


@pytest.fixture
def client(source: AsyncMaskinportenClient, line: httpx2.AsyncClient) -> AsyncConsentClient:
    return AsyncConsentClient(source, API, http=line)


@pytest.fixture
def old_client(source: AsyncMaskinportenClient, line: httpx2.AsyncClient) -> AsyncAltinn2ConsentClient:
    return AsyncAltinn2ConsentClient(OLD_API, "an-api-key", source, http=line)


@pytest.fixture
def thread(altinn: Altinn) -> Iterator[TestClient]:
    with TestClient(altinn.app) as http:
        yield http


# -- Altinn 3 ---------------------------------------------------------------------------------------------------------


async def test_a_consent_is_asked_for_with_the_scope_for_writing(client: AsyncConsentClient, altinn: Altinn) -> None:
    altinn.answers = [JSONResponse(ASKED, 201)]
    asked = await client.create(REQUEST)
    assert (asked.id, asked.status, asked.view_url) == (ID, "Created", f"https://am.ui.test/?id={ID}")
    assert (asked.valid_to, asked.consented, asked.events) == (VALID_TO, None, ("Created",))
    assert altinn.calls == [("POST", BASE, "altinn:consentrequests.write")]
    assert altinn.bodies == [
        {
            "id": str(ID),
            "from": GIVER,
            "to": f"urn:altinn:organization:identifier-no:{RECEIVER}",
            "requiredDelegator": None,
            "validTo": "2027-07-18T06:18:12+00:00",
            "consentRights": [
                {
                    "action": ["consent"],
                    "resource": [{"type": "urn:altinn:resource", "value": "saldo"}],
                    "metadata": {"inntektsaar": "2024"},
                }
            ],
            "requestMessage": None,
            "redirectUrl": "https://bank.example/back",
            "portalViewMode": "Hide",
        }
    ]
    assert PID not in repr(REQUEST) + repr(asked)


async def test_what_may_be_asked_for_beside_goes_along(client: AsyncConsentClient, altinn: Altinn) -> None:
    altinn.answers = [JSONResponse(ASKED)] * 2
    await client.create(replace(REQUEST, message={"nb": "Lån"}, required_delegator=GIVER, in_portal=True, id=None))
    body = altinn.bodies[0]
    assert (body["requestMessage"], body["requiredDelegator"], body["portalViewMode"]) == ({"nb": "Lån"}, GIVER, "Show")
    await client.create(replace(REQUEST, required_delegator=PID, id=None))
    assert altinn.bodies[1]["requiredDelegator"] == GIVER
    assert UUID(body["id"]) != UUID(altinn.bodies[1]["id"])


async def test_without_an_answer_the_very_same_request_is_sent_once_more(
    client: AsyncConsentClient, altinn: Altinn
) -> None:
    with pytest.raises(ConsentUnavailableError) as lost:
        await client.create(replace(REQUEST, id=None))
    assert lost.value.status is None
    assert len(altinn.bodies) == 2
    assert altinn.bodies[0] == altinn.bodies[1]
    altinn.answers = [Response(status_code=503, headers={"retry-after": "3"})]
    with pytest.raises(ConsentUnavailableError) as busy:
        await client.create(REQUEST)
    assert (busy.value.status, busy.value.retry_after, len(altinn.bodies)) == (503, 3.0, 3)


async def test_a_supplier_asks_for_its_consumer(
    source: AsyncMaskinportenClient, line: httpx2.AsyncClient, altinn: Altinn, issuer: FakeIssuer
) -> None:
    altinn.answers = [JSONResponse(ASKED)]
    await AsyncConsentClient(source, API, consumer_org=RECEIVER, http=line).read(ID)
    assert issuer.grants[-1]["consumer_org"] == RECEIVER


@pytest.mark.parametrize(
    ("status", "events", "pending", "given"),
    [
        ("Created", ["Created"], True, False),
        ("Created", ["Created", "Expired"], False, False),
        ("Accepted", ["Created", "Accepted"], False, True),
        ("Accepted", ["Created", "Accepted", "Expired"], False, False),
        ("Revoked", ["Created", "Accepted", "Revoked"], False, False),
    ],
)
async def test_how_a_consent_stands_is_read_with_the_scope_for_reading(
    client: AsyncConsentClient, altinn: Altinn, status: str, events: list[str], pending: bool, given: bool
) -> None:
    at = "2026-11-20T10:34:39.676924+00:00" if "Accepted" in events else None
    told = {**ASKED, "status": status, "consented": at, "consentRequestEvents": [{"eventType": one} for one in events]}
    altinn.answers = [JSONResponse(told)]
    asked = await client.read(str(ID).upper())
    assert (asked.is_pending, asked.is_given, asked.events) == (pending, given, tuple(events))
    assert asked.consented == (None if at is None else dt.datetime.fromisoformat(at))
    assert altinn.calls == [("GET", f"{BASE}/{ID}", "altinn:consentrequests.read")]


async def test_the_feed_is_read_page_by_page_and_a_link_elsewhere_is_not_followed(
    client: AsyncConsentClient, altinn: Altinn
) -> None:
    event = {"consentRequestId": str(ID), "eventType": "Accepted", "changedDate": "2026-11-20T10:30:00+01:00"}
    first = {"links": {"next": "https://evil.test/events?continuationToken=a%2Bb%3D%3D&eventType=accepted"}}
    altinn.answers = [JSONResponse({**first, "data": [event]}), JSONResponse({"links": {}, "data": []})]
    page = await client.events(
        types=["accepted", "revoked"], consent=ID, created_after=VALID_TO, created_before=VALID_TO + dt.timedelta(1)
    )
    (change,) = page.changes
    assert (change.consent, change.type) == (ID, "Accepted")
    assert change.at == dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)
    assert page.continuation == "a+b=="
    assert await client.events(page.continuation) == ChangedConsents((), None)
    queries = [one.query_params.multi_items() for one in altinn.seen]
    assert queries[0] == [
        ("eventType", "accepted"), ("eventType", "revoked"), ("consentRequestId", str(ID)),
        ("createdAfter", "2027-07-18T06:18:12+00:00"), ("createdBefore", "2027-07-19T06:18:12+00:00"),
    ]  # fmt: skip
    assert queries[1] == [("continuationToken", "a+b==")]
    assert {one.url.hostname for one in altinn.seen} == {"altinn.test"}


@pytest.mark.parametrize(
    "changes",
    [
        {"giver": "0"}, {"giver": f"{PID[:-1]}0"}, {"giver": "urn:altinn:party:uuid:x"}, {"receiver": "31387614"},
        {"giver": f"{PID}1"}, {"required_delegator": RECEIVER}, {"rights": []},
        {"valid_to": dt.datetime(2027, 1, 1)},  # noqa: DTZ001 - that is the point
    ],
)  # fmt: skip
async def test_what_nobody_can_ask_for_is_not_sent(
    client: AsyncConsentClient, altinn: Altinn, changes: dict[str, Any]
) -> None:
    with pytest.raises(ValueError) as wrong:  # noqa: PT011 - its words are the identifiers' own
        await client.create(replace(REQUEST, **changes))
    assert PID[:9] not in str(wrong.value)
    with pytest.raises(ValueError, match="badly formed"):
        await client.read("../events")
    assert altinn.seen == []


# -- Altinn 2 ---------------------------------------------------------------------------------------------------------


async def test_an_altinn_2_request_is_in_its_own_words(old_client: AsyncAltinn2ConsentClient, altinn: Altinn) -> None:
    altinn.answers = [JSONResponse(OLD_ASKED)]
    request = replace(OLD_REQUEST, handled_by=SUPPLIER, message={"nb": "Lån", "nn": "Lån", "en": "Loan"})
    asked = await old_client.create(request)
    assert (asked.code, asked.status) == (ID, "Unopened")
    assert asked.view_url == f"https://altinn.test/ui/AccessConsent/request?id={ID}"
    assert altinn.calls == [("POST", "/altinn2/api/consentRequests", "altinn:consentrequests.write")]
    headers = altinn.seen[0].headers
    assert (headers["apikey"], headers["accept"]) == ("an-api-key", "application/hal+json")
    assert "ForceEIAuthentication" not in altinn.seen[0].url.query
    assert altinn.bodies == [
        {
            "CoveredBy": RECEIVER, "OfferedBy": PID, "OfferedByName": "GRØNSETH", "HandledBy": SUPPLIER,
            "ValidTo": "2027-07-18T06:18:12Z", "RedirectUrl": "https://bank.example/back",
            "RequestResources": [
                {"ServiceCode": "5498", "ServiceEditionCode": 1, "Metadata": {"Navn": "Banken AS"}}
            ],
            "RequestMessage": {"no-nb": "Lån", "no-nn": "Lån", "en": "Loan"}, "PortalViewMode": "Hide",
        }
    ]  # fmt: skip
    assert PID not in repr(request) + repr(asked)


async def test_an_altinn_2_request_is_looked_at_and_may_have_no_link(
    old_client: AsyncAltinn2ConsentClient, altinn: Altinn
) -> None:
    told = {**OLD_ASKED, "RequestStatus": "Accepted"}
    del told["_links"]
    altinn.answers = [JSONResponse(told)]
    asked = await old_client.read(ID)
    assert (asked.status, asked.view_url) == ("Accepted", None)
    assert altinn.calls == [("GET", f"/altinn2/api/consentRequests/{ID}", "altinn:consentrequests.read")]


async def test_a_certificate_is_counted_only_with_the_flag(line: httpx2.AsyncClient, altinn: Altinn) -> None:
    altinn.answers = [JSONResponse(OLD_ASKED)]
    await AsyncAltinn2ConsentClient(OLD_API, "an-api-key", http=line).create(OLD_REQUEST)
    assert altinn.seen[0].url.query == "ForceEIAuthentication=true"
    assert "authorization" not in altinn.seen[0].headers


@pytest.mark.parametrize(
    "answer",
    [JSONResponse(JWT), PlainTextResponse(JWT), PlainTextResponse(f'"{JWT}"\n')],
    ids=["a JSON string", "bare", "quoted text"],
)
async def test_a_consent_token_comes_without_its_quotes(
    old_client: AsyncAltinn2ConsentClient, altinn: Altinn, answer: Response
) -> None:
    altinn.answers = [answer]
    assert await old_client.token(ID) == JWT
    assert altinn.calls == [("GET", f"/altinn2/api/authorization/token/{ID}", "altinn:consenttokens.read")]
    assert altinn.seen[0].headers["accept"] == "application/json"


@pytest.mark.parametrize("body", ["", '""', "null", "[]", f'["{JWT}"]', '"not a token', "<html>", '"a.b"'])
async def test_what_is_no_token_is_not_taken_for_one(
    old_client: AsyncAltinn2ConsentClient, altinn: Altinn, body: str
) -> None:
    altinn.answers = [PlainTextResponse(body)]
    with pytest.raises(UnexpectedConsentResponseError, match="answered 200 with no token"):
        await old_client.token(ID)


@pytest.mark.parametrize(
    "changes",
    [
        {"offered_by": "0"}, {"covered_by": f"{PID}1"}, {"handled_by": PID}, {"required_delegator": RECEIVER},
        {"services": []}, {"valid_to": dt.datetime(2027, 1, 1)}, {"message": {"no-nb": "x"}},  # noqa: DTZ001
    ],
)  # fmt: skip
async def test_what_nobody_can_ask_altinn_2_for_is_not_sent(
    old_client: AsyncAltinn2ConsentClient, altinn: Altinn, changes: dict[str, Any]
) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its words are the identifiers' own
        await old_client.create(replace(OLD_REQUEST, **changes))
    assert altinn.seen == []


# -- errors -----------------------------------------------------------------------------------------------------------

ONE: dict[str, Any] = {
    "type": "urn:altinn:error:AM-00006", "title": "Unknown metadata", "status": 400, "code": "AM-00006",
    "key": "inntektsaar", "traceId": "00-abc-def-00",
}  # fmt: skip
VALIDATION = {
    "code": "STD-00000", "status": 400,
    "validationErrors": [
        {"code": "AM.VLD-00022", "title": "Time must be in the future", "paths": ["ValidTo"]},
        {"code": "AM.VLD-00027", "title": "Redirect URL is not valid", "paths": ["RedirectUrl"]},
    ],
}  # fmt: skip
SEVERAL = {"code": "STD-00001", "status": 500, "problems": [VALIDATION, ONE]}
NO_SUCH_PARTY = [{"ErrorCode": "40332", "ErrorMessage": f"{PID} is not GRØNSETH"}]


@pytest.mark.parametrize(
    ("answer", "kind", "codes"),
    [
        (JSONResponse(ONE, 400), ConsentRefusedError, ("AM-00006",)),
        (JSONResponse(VALIDATION, 400), ConsentRefusedError, ("AM.VLD-00022", "AM.VLD-00027")),
        (JSONResponse(SEVERAL, 500), ConsentRefusedError, ("AM.VLD-00022", "AM.VLD-00027", "AM-00006")),
        (JSONResponse(NO_SUCH_PARTY, 400), ConsentRefusedError, ("40332",)),
        (PlainTextResponse("no", 400), ConsentRefusedError, ()),
        (JSONResponse({**ONE, "code": "AM-00001"}, 404), ConsentNotFoundError, ("AM-00001",)),
        (Response(status_code=401), ConsentForbiddenError, ()),
        (Response(status_code=403), ConsentForbiddenError, ()),
        (PlainTextResponse("The API key is not authorized", 403), ConsentForbiddenError, ()),
        (Response(status_code=500), ConsentUnavailableError, ()),
        (PlainTextResponse("<html>", 502), ConsentUnavailableError, ()),
        (Response(status_code=429), ConsentUnavailableError, ()),
        (Response(status_code=302, headers={"location": "https://evil.test/"}), UnexpectedConsentResponseError, ()),
        (Response(status_code=418), UnexpectedConsentResponseError, ()),
        (JSONResponse({"code": "STD-00001", "problems": ["x", 5]}, 400), ConsentRefusedError, ()),
        (JSONResponse([5, {"ErrorCode": 5}, {}], 400), ConsentRefusedError, ()),
    ],
    ids=lambda value: "",
)
async def test_a_refusal_is_an_error_of_its_kind_with_its_codes(
    client: AsyncConsentClient,
    old_client: AsyncAltinn2ConsentClient,
    altinn: Altinn,
    answer: Response,
    kind: type[ConsentError],
    codes: tuple[str, ...],
) -> None:
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: client.create(REQUEST), lambda: client.read(ID), client.events,
        lambda: old_client.create(OLD_REQUEST), lambda: old_client.read(ID), lambda: old_client.token(ID),
    ]  # fmt: skip
    for make in calls:
        altinn.answers = [answer]
        with pytest.raises(ConsentError) as refused:
            await make()
        assert (type(refused.value), refused.value.codes) == (kind, codes)
        assert refused.value.status == answer.status_code
        assert all(code in str(refused.value) for code in codes)
        assert PID not in str(refused.value) + repr(refused.value.problems)
    assert len(altinn.seen) == len(calls)


async def test_an_error_keeps_what_altinn_said(client: AsyncConsentClient, altinn: Altinn) -> None:
    altinn.answers = [JSONResponse(ONE, 400)]
    with pytest.raises(ConsentRefusedError) as refused:
        await client.create(REQUEST)
    (problem,) = refused.value.problems
    assert (problem.title, problem.details["key"]) == ("Unknown metadata", "inntektsaar")
    assert refused.value.trace_id == "00-abc-def-00"


@pytest.mark.parametrize(
    "body",
    [
        "", "[]", "{}", '{"a": NaN}', {**ASKED, "id": "x"}, {**ASKED, "id": 5}, {**ASKED, "validTo": None},
        {**ASKED, "consentRequestEvents": [5]}, {**OLD_ASKED, "AuthorizationCode": None}, {"data": 5},
        {**OLD_ASKED, "_links": {"gui": 5}}, {"links": 5, "data": []}, {"data": [{}]},
        {"links": {"next": 5}, "data": []},
    ],
    ids=lambda value: "",
)  # fmt: skip
async def test_what_is_no_answer_of_altinns_is_told_without_repeating_it(
    client: AsyncConsentClient, old_client: AsyncAltinn2ConsentClient, altinn: Altinn, body: Any
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: client.create(REQUEST), lambda: client.read(ID), client.events,
        lambda: old_client.create(OLD_REQUEST), lambda: old_client.read(ID),
    ]  # fmt: skip
    for make in calls:
        altinn.answers = [PlainTextResponse(text, 200)]
        with pytest.raises(UnexpectedConsentResponseError, match="Altinn answered 200 with"):
            await make()


async def test_no_token_no_call(client: AsyncConsentClient, altinn: Altinn, issuer: FakeIssuer) -> None:
    issuer.answers = [refusal(403, "forbidden", "Consumer has not been granted access to the scope x.", "MP-250")]
    with pytest.raises(AccessDeniedError):
        await client.create(REQUEST)
    assert altinn.seen == []


# -- threads ----------------------------------------------------------------------------------------------------------


def test_threads_have_the_same(credentials: Credentials, clock: FixedClock, altinn: Altinn, thread: TestClient) -> None:
    source = MaskinportenClient(credentials, clock=clock, http=thread)
    client = ConsentClient(source, f"{API}/", http=thread)
    old_client = Altinn2ConsentClient(f"{OLD_API}/", "an-api-key", source, http=thread)
    altinn.answers = [
        JSONResponse(ASKED, 201), JSONResponse(ASKED), JSONResponse({"data": []}),
        JSONResponse(OLD_ASKED), JSONResponse(OLD_ASKED), JSONResponse(JWT),
    ]  # fmt: skip
    assert client.create(REQUEST) == client.read(ID)
    assert client.events() == ChangedConsents((), None)
    assert old_client.create(OLD_REQUEST) == old_client.read(ID)
    assert old_client.token(ID) == JWT
    write, read = "altinn:consentrequests.write", "altinn:consentrequests.read"
    assert [scope for *_, scope in altinn.calls] == [write, read, read, write, read, "altinn:consenttokens.read"]


def test_identifiers_of_parties_are_checked() -> None:
    with pytest.raises(InvalidIdentifierError):
        replace(REQUEST, giver="x").document(ID)
