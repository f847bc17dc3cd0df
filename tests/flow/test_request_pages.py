"""The page behind a request's ``detailsLink``: read, sent, approved and rejected by picked people, in each language."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from uuid import UUID, uuid4

import httpx2
import pytest

from fullmakt.altinn.delegations.requests.asking import Asked
from fullmakt.altinn.delegations.requests.model import Letter, ServiceOwner
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.serve.app import create
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.database import as_world
from fullmakt.serve.settings import Settings
from fullmakt.wire.altinn.attributes import ORGANISATION, PERSON, Attribute
from fullmakt.world.host import world_of
from fullmakt.world.parse import parse

BASE = "http://localhost:8080"
PAGE = f"{BASE}/accessmanagement/ui/requests/resource"
BANK, ETAT = "910753614", "310943223"
BANKER, BORROWER = "05895199925", "30918899991"
WORLD = """
[[organisation]]
orgno = "310943223"
name = "Etat"
[[organisation]]
orgno = "910753614"
name = "Bank <ASA>"
[[person]]
id = "05895199925"
name = "Kari"
[[person]]
id = "30918899991"
name = "Jonas"
[[role]]
person = "05895199925"
code = "dagl"
organisation = "910753614"
[[service_owner]]
code = "ttd"
organisation = "310943223"
name = "Etat"
[[resource]]
identifier = "ttd-skjema"
owner = "ttd"
resourceType = "GenericAccessResource"
title = { nb = "Skjemaet", nn = "Skjema", en = "The form" }
description = "Skjema"
rightDescription = "Skjema"
status = "Active"
roles = ["dagl"]
actions = ["read", "write"]
"""


class Place:
    """The whole app over a world, a browser in front of it, and requests for access made behind its back."""

    def __init__(self, assembly: Assembly) -> None:
        self.assembly = assembly
        transport = httpx2.ASGITransport(app=create(assembly))
        self.browser = httpx2.AsyncClient(transport=transport, base_url=BASE)

    async def drafted(self, letter: Letter | None = None, package: str | None = None) -> UUID:
        """A draft of the service owner's: Jonas asks the bank."""
        asked = Asked(
            receiver=(Attribute(PERSON, BORROWER), "/from"),
            giver=(Attribute(ORGANISATION, BANK), "/to"),
            resources=() if package else ("ttd-skjema",),
            package=package,
            right_keys=() if package else ("ttd-skjema:read",),
        )
        owner = ServiceOwner(OrgNumber(ETAT), "ttd", ETAT)
        return (await self.assembly.altinn.requests.draft_for(asked, owner, letter)).request_id

    async def page(self, request_id: object, language: str = "en", code: int = 200) -> str:
        """The page's text."""
        answer = await self.browser.get(PAGE, params={"requestId": str(request_id), "lang": language})
        assert answer.status_code == code
        return unescape(answer.text)

    async def answer(self, request_id: UUID, answer: str, **changes: str) -> httpx2.Response:
        """Fill in the form that the page has, and send it."""
        page = await self.page(request_id)
        fields = {name: found[1] if (found := re.search(rf'name="{name}" value="([^"]*)"', page)) else ""
                  for name in ("token", "person")}  # fmt: skip
        form = {**fields, "answer": answer, **changes}
        return await self.browser.post(PAGE, params={"requestId": str(request_id), "lang": "en"}, data=form)

    async def uuid_of(self, attribute: Attribute) -> str:
        """Somebody's party UUID."""
        return str((await self.assembly.parties.identify([attribute]))[attribute].party_uuid)


@pytest.fixture
async def place(database_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    assembly = assemble(Settings(state=tmp_path, pki={"enabled": False}), database_url)
    await assembly.start()
    world = world_of(as_world(assembly))
    await world.apply(await world.plan(parse(WORLD)))
    opened = Place(assembly)
    yield opened
    await opened.browser.aclose()
    await assembly.stop()


async def test_a_draft_is_sent_by_who_needs_it_approved_by_who_can_and_a_right(place: Place) -> None:
    request_id = await place.drafted()
    page = await place.page(request_id)
    for text in (
        "Jonas asks Bank <ASA> (910753614) for access.",
        "A draft, not sent yet",
        "The form (<code>ttd-skjema</code>): read",
        "Etat (310943223)",
        "30918899991",
        "Send the request",
    ):
        assert text in page
    assert "Approve" not in page
    sent = await place.answer(request_id, "confirm")
    assert (sent.status_code, sent.headers["location"]) == (303, f"?requestId={request_id}&lang=en")
    pending = await place.page(request_id)
    assert "Waiting for an answer" in pending
    assert "Kari" in pending
    assert "Jonas" not in pending.partition("<form")[2]
    assert (await place.answer(request_id, "approve")).status_code == 303
    settled = await place.page(request_id)
    assert "Approved" in settled
    assert "<form" not in settled
    receiver, giver = [UUID(await place.uuid_of(Attribute(*one))) for one in ((PERSON, BORROWER), (ORGANISATION, BANK))]
    (right,) = await place.assembly.rights.delegations.rights([receiver], giver, "ttd-skjema")
    assert right.actions == {"read"}


@pytest.mark.parametrize(("answers", "status"), [(["withdraw"], "Withdrawn"), (["confirm", "reject"], "Rejected")])
async def test_a_request_is_taken_back_or_turned_down(place: Place, answers: list[str], status: str) -> None:
    request_id = await place.drafted()
    for answer in answers:
        assert (await place.answer(request_id, answer)).status_code == 303
    assert status in await place.page(request_id)


@pytest.mark.parametrize(
    ("language", "text"), [("nb", "Jonas ber Bank"), ("nn", "Eit utkast, ikkje sendt enno"), ("en", "Who are you?")]
)
async def test_the_page_is_in_the_reader_s_language_and_keeps_to_the_request(
    place: Place, language: str, text: str
) -> None:
    request_id = await place.drafted()
    page = await place.page(request_id, language)
    assert text in page
    for other in ("nb", "nn", "en"):
        assert f'href="?requestId={request_id}&lang={other}"' in page


async def test_a_package_and_a_letter_are_shown_and_lead_back(place: Place) -> None:
    letter = Letter("https://owner.example/back?a=1&b=2", "<b>Hei</b>")
    page = await place.page(await place.drafted(letter, package="skatt-naering"))
    assert "<code>skatt-naering</code>" in page
    assert 'href="https://owner.example/back?a=1&b=2"' in page
    answer = await place.browser.get(
        PAGE, params={"requestId": str(await place.drafted(Letter("javascript:x", "<b>")))}
    )
    assert "&lt;b&gt;" in answer.text
    assert "javascript:" not in answer.text


async def test_the_page_runs_no_script_and_sends_forms_to_itself_alone(place: Place) -> None:
    answer = await place.browser.get(PAGE, params={"requestId": str(await place.drafted())})
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert answer.headers["cache-control"] == "no-store"


async def test_a_form_from_elsewhere_does_nothing(place: Place) -> None:
    request_id = await place.drafted()
    forged = await place.answer(request_id, "confirm", token="x" * 43)
    assert forged.status_code == 403
    assert "not from this browser" in forged.text
    place.browser.cookies.clear()
    person = await place.uuid_of(Attribute(PERSON, BORROWER))
    form = {"token": "", "person": person, "answer": "confirm"}
    assert (await place.browser.post(PAGE, params={"requestId": str(request_id)}, data=form)).status_code == 403
    assert "A draft" in await place.page(request_id)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"person": "Kari"}, 400),
        ({"answer": "delete"}, 400),
        ({"person": "æ\x00"}, 400),
        ({"token": "æøå"}, 403),
        ({"more": "x" * 5_000}, 403),
        ({f"field{number}": "x" for number in range(20)}, 403),
        ({"person": "5ccaebc5-dfb7-442a-ab5e-002898b902ae"}, 403),
        ({"answer": "approve"}, 409),
    ],
)
async def test_whatever_else_is_sent_is_turned_away(place: Place, changes: dict[str, str], status: int) -> None:
    request_id = await place.drafted()
    assert (await place.answer(request_id, changes.pop("answer", "confirm"), **changes)).status_code == status
    assert "A draft" in await place.page(request_id)


async def test_only_who_may_answers_and_the_trail_keeps_who_tried(place: Place) -> None:
    request_id = await place.drafted()
    refused = await place.answer(request_id, "confirm", person=await place.uuid_of(Attribute(PERSON, BANKER)))
    assert refused.status_code == 403
    assert "this person may not answer so" in refused.text
    organisation = await place.uuid_of(Attribute(ORGANISATION, BANK))
    assert (await place.answer(request_id, "confirm", person=organisation)).status_code == 403


async def test_two_answers_are_one_and_the_other_sees_how_it_stands(place: Place) -> None:
    request_id = await place.drafted()
    await place.answer(request_id, "confirm")
    page = await place.page(request_id)
    fields = dict(re.findall(r'name="(token|person)" value="([^"]*)"', page))
    url = f"{PAGE}?requestId={request_id}&lang=en"
    first = await place.browser.post(url, data={**fields, "answer": "reject"})
    second = await place.browser.post(url, data={**fields, "answer": "approve"})
    assert (first.status_code, second.status_code) == (303, 409)
    assert "answered meanwhile" in second.text
    assert "Rejected" in second.text


@pytest.mark.parametrize("request_id", ["", "x", "'", "1e6eee8b-59d1-4dbb-b556-13dc4aa4150c"])
async def test_a_request_that_is_none_has_a_page_that_says_so(place: Place, request_id: str) -> None:
    assert "There is no such request." in await place.page(request_id, code=404)


async def test_altinn_2_s_address_leads_to_the_page(place: Place) -> None:
    request_id = await place.drafted()
    answer = await place.browser.get(f"{BASE}/altinn2/ui/DelegationRequest/send/{request_id}")
    assert (answer.status_code, answer.headers["location"]) == (302, f"{PAGE}?requestId={request_id}")
    assert (await place.browser.get(f"{BASE}/altinn2/ui/DelegationRequest/send/x")).status_code == 404


async def test_where_nobody_can_be_picked_login_is_said_to_come(database_url: str, tmp_path: Path) -> None:
    settings = Settings(state=tmp_path, pki={"enabled": False}, insecure={"test_tokens": False})
    place = Place(assemble(settings, database_url))
    try:
        await place.assembly.start()
        request_id = uuid4()
        assert "login comes with ID-porten" in await place.page(request_id, code=501)
        sent = await place.browser.post(PAGE, params={"requestId": str(request_id)}, data={"answer": "confirm"})
        assert sent.status_code == 501
    finally:
        await place.browser.aclose()
        await place.assembly.stop()
