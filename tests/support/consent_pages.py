"""The whole house over a small world, a browser in front of its consent pages, and requests made behind its back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
from sqlalchemy import text

from fullmakt.altinn.consents.keys.model import ApiKeyDeclaration
from fullmakt.altinn.consents.model import Consent, ConsentRight, EventType, Form
from fullmakt.altinn.consents.srr.domains import parse_pattern
from fullmakt.altinn.consents.srr.model import Condition, Draft, Entry, Right, ServiceKey
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.serve.app import create
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.database import as_world
from fullmakt.serve.settings import Settings
from fullmakt.wire.altinn.attributes import ORGANISATION, PERSON, Attribute
from fullmakt.world.host import world_of
from fullmakt.world.parse import parse

BASE = "http://localhost:8080"
ALTINN3 = f"{BASE}/accessmanagement/ui/consent/request"
ALTINN2 = f"{BASE}/altinn2/ui/AccessConsent/request"
BANK, SUPPLIER, SHOP = "910753614", "312044005", "310943223"
BORROWER, SHOPKEEPER, STRANGER = "30918899991", "05895199925", "03817299813"
BACK = "https://www.bank.example/back"
RESOURCE = "lanekassen_5498_1"
WORLD = """
[[organisation]]
orgno = "313579247"
name = "Lånekassen"
[[organisation]]
orgno = "910753614"
name = "Bank <ASA>"
[[organisation]]
orgno = "312044005"
name = "Leverandør"
[[organisation]]
orgno = "310943223"
name = "Butikken"
[[person]]
id = "30918899991"
name = "Jonas Låntaker"
[[person]]
id = "05895199925"
name = "Kari Butikkeier"
[[person]]
id = "03817299813"
name = "Mette Fremmed"
[[role]]
person = "05895199925"
code = "dagl"
organisation = "310943223"
[[service_owner]]
code = "lanekassen"
organisation = "313579247"
name = "Lånekassen"
[[resource]]
identifier = "lanekassen_5498_1"
owner = "lanekassen"
resourceType = "Consent"
title = { nb = "Saldo på studielån", nn = "Saldo på studielån", en = "Balance of student loan" }
description = "Saldo"
rightDescription = "Saldo"
status = "Active"
consentTemplate = "default"
consentText = { nb = "**{Navn}** henter saldoen.", nn = "**{Navn}** hentar saldoen.", en = "**{Navn}** fetches it." }
consentMetadata = { Navn = { optional = false } }
roles = ["priv", "dagl"]
"""


_FAILS = "CREATE FUNCTION consents.fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$"
_FAILING = "CREATE TRIGGER fails BEFORE INSERT OR UPDATE ON consents.consent EXECUTE FUNCTION consents.fails()"
_LOSES = (
    "CREATE FUNCTION consents.loses() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN ALTER TABLE consents.api_key RENAME TO api_key_lost; RETURN NEW; END $$"
)
_LOSING = (
    "CREATE TRIGGER loses BEFORE UPDATE ON consents.consent FOR EACH ROW"
    " WHEN (NEW.status = 'Accepted') EXECUTE FUNCTION consents.loses()"
)
LOAN = ServiceKey("5498", 1)


class _Owner:
    organisation = OrgNumber("313579247")
    actor = "313579247"


OWNER = _Owner()
"""The loan fund, as SRR is asked by it."""


class Place:
    """The whole app over a world, a browser in front of it, and requests made behind its back."""

    def __init__(self, assembly: Assembly) -> None:
        self.assembly = assembly
        self.consents = assembly.altinn.consents.service
        self.browser = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create(assembly)), base_url=BASE)

    async def become(self, world: str) -> None:
        """Let the world be as its file says."""
        changing = world_of(as_world(self.assembly))
        await changing.apply(await changing.plan(parse(world)))

    async def give_key(self, *domains: str, number: str = BANK, name: str = "key") -> None:
        """Let an organisation have an API key, which names these domains."""
        await self.assembly.altinn.consents.keys.declare(ApiKeyDeclaration(name, OrgNumber(number), domains))

    async def list_in_srr(self, *domains: str, service: ServiceKey = LOAN, reportee: str = BANK) -> Entry:
        """Let the loan fund list a receiver, and name these domains."""
        condition = Condition(domains=tuple(map(parse_pattern, domains)))
        valid_to = self.consents.work.clock() + timedelta(days=30)
        draft = Draft(service, reportee, Right.READ, valid_to, condition)
        (written,) = await self.assembly.altinn.consents.srr.add([draft], OWNER)
        assert isinstance(written.item, Entry)
        return written.item

    async def drop_from_srr(self, entry: Entry) -> None:
        """Take a receiver off the list."""
        await self.assembly.altinn.consents.srr.remove(entry.id, OWNER)

    async def break_the_table(self) -> None:
        """From here on no consent can be changed or made."""
        async with self.assembly.database.transaction() as connection:
            await connection.execute(text(_FAILS))
            await connection.execute(text(_FAILING))

    async def lose_the_keys_with_the_answer(self) -> None:
        """From the next yes on nothing can be found out of API keys."""
        async with self.assembly.database.transaction() as connection:
            await connection.execute(text(_LOSES))
            await connection.execute(text(_LOSING))

    async def trail(self, prefix: str = "consent:") -> list[tuple[str, str, str, str]]:
        """Action, outcome, reason and actor of what the audit trail tells."""
        return await self.rows(
            "SELECT action, outcome, reason, actor FROM audit.event WHERE action LIKE :like ORDER BY id",
            like=f"{prefix}%",
        )

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """What a statement finds, behind everybody's back."""
        async with self.assembly.database.transaction() as connection:
            return [tuple(row) for row in await connection.execute(text(statement), values)]

    async def party(self, number: str) -> UUID:
        """Somebody's party UUID."""
        name = Attribute(PERSON if len(number) == 11 else ORGANISATION, number)
        return (await self.assembly.parties.identify([name]))[name].party_uuid

    async def asked(self, form: Form = Form.ALTINN3, *, giver: str = BORROWER, **changes: Any) -> UUID:
        """A request of the bank's, of Jonas unless told."""
        now, bank = self.consents.work.clock(), await self.party(BANK)
        consent = Consent(
            id=uuid4(),
            form=form,
            giver=await self.party(giver),
            receiver=bank,
            valid_to=now + timedelta(days=9),
            rights=(ConsentRight(RESOURCE, metadata={"Navn": "Bank <i>"}),),
            redirect_url=BACK,
            created=now,
            created_by=bank,
            template_id="default",
        )
        consent = replace(consent, **changes)
        await self.consents.using.request(consent, bank, BANK)
        return consent.id

    async def kept(self, consent_id: UUID) -> tuple[Consent, list[EventType]]:
        """The consent as it stands, and what has happened to it."""
        found = await self.consents.using.find(consent_id)
        assert found is not None
        return found.consent, [event.type for event in found.events]

    async def page(self, consent_id: object, *, url: str = ALTINN3, code: int = 200, language: str = "en") -> str:
        """The page as it is written."""
        answer = await self.browser.get(url, params={"id": str(consent_id), "lang": language})
        assert answer.status_code == code, answer.text
        return answer.text

    async def answer(self, consent_id: UUID, answer: str, *, url: str = ALTINN3, **changes: str) -> httpx2.Response:
        """Fill in the form that the page has, and send it."""
        fields = fields_of(await self.page(consent_id, url=url))
        return await self.send(consent_id, {**fields, "answer": answer, **changes}, url=url)

    async def send(self, consent_id: UUID, form: dict[str, str], *, url: str = ALTINN3) -> httpx2.Response:
        """Send a form."""
        return await self.browser.post(url, params={"id": str(consent_id), "lang": "en"}, data=form)


def fields_of(page: str) -> dict[str, str]:
    """What the page's form is filled in with."""
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in ("token", "person", "read")}
    return {name: unescape(match[1]) for name, match in found.items() if match is not None}


@asynccontextmanager
async def opened(database_url: str, folder: Path) -> AsyncIterator[Place]:
    """The place, with its world in it."""
    assembly = assemble(Settings(state=folder, pki={"enabled": False}), database_url)
    await assembly.start()
    place = Place(assembly)
    try:
        await place.become(WORLD)
        yield place
    finally:
        await place.browser.aclose()
        await assembly.stop()
