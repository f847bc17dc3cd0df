"""Databases in which consent is asked for and given: a bank, a small firm, people, two services, and whoever owns them.

Everybody's tokens are Altinn's own and last for the whole run, as real ones do not: getting them is no part of it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench import registry
from bench.harness import Bench
from bench.rights import copy_rows, organisation_orgno, people
from bench.server import URL, environment
from fullmakt.altinn.consents.keys.model import ApiKeyDeclaration
from fullmakt.altinn.exchange.keys import OpenKey
from fullmakt.altinn.resources.policies import consent_policy
from fullmakt.kernel.clock import system_clock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.settings import load_settings
from fullmakt.wire.altinn.resource_registry import ResourceDocument, ServiceOwner

BANK, FIRM, OWNER = OrgNumber("910753614"), OrgNumber("313876144"), OrgNumber("960885406")
SERVICE, LATER_SERVICE = ("5498", 1), ("5499", 1)
SURNAME = "Nordmann"
SYSTEMS = ("maskinporten", "resourceregistry", "accessmanagement")
_CODE = "lanekassen"
_COMPANIES = 100
_FIRST_PARTY, _FIRST_USER = 1, 1
_FILL = (Path(__file__).parent / "consent_fill.sql").read_bytes()
_SCOPES = (
    "altinn:consentrequests.read altinn:consentrequests.write altinn:consenttokens altinn:serviceowner/consents"
    " altinn:serviceowner"
)


@dataclass(frozen=True, slots=True)
class ConsentWorld:
    """A database at ``url``; organisations' ``tokens`` and ``api_keys``, people's ``personal`` tokens by number."""

    url: str
    tokens: Mapping[str, str]
    api_keys: Mapping[str, str]
    personal: Mapping[str, str]


def resource(service: tuple[str, int]) -> str:
    """The resource that stands for a service edition."""
    return f"{_CODE}_{service[0]}_{service[1]}"


def party_uuid(number: str) -> uuid.UUID:
    """The UUID of whoever has that number."""
    return uuid.UUID(int=0x4000_8000 << 64 | int(number))


def create(bench: Bench, name: str, stock: int = 0) -> ConsentWorld:
    """Make a database with as many consents as ``stock`` says."""
    url = registry.create(bench.postgres, name, 1, bench.signers())
    givers = people(bench.sizes.givers)
    with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as connection:
        columns = "party_id, party_uuid, orgno, national_id, user_id, name, form, created, last_updated"
        copy_rows(connection, f"parties.party ({columns})", _parties(givers))
    world = asyncio.run(_furnish(bench, url, givers))
    if stock:
        fill(url, stock, givers)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    return world


def _companies() -> list[str]:
    return [organisation_orgno(number) for number in range(_COMPANIES)]


def _parties(givers: Sequence[str]) -> Iterator[Sequence[object]]:
    now = system_clock()
    organisations = [str(BANK), str(FIRM), str(OWNER), *_companies()]
    for number, orgno in enumerate(organisations):
        yield _FIRST_PARTY + number, party_uuid(orgno), orgno, None, None, f"SELSKAP {orgno}", "AS", now, now
    for number, pid in enumerate(givers):
        place = _FIRST_PARTY + len(organisations) + number
        yield place, party_uuid(pid), None, pid, _FIRST_USER + number, f"Kari {SURNAME}", None, now, now


def fill(url: str, stock: int, givers: Sequence[str]) -> None:
    """Let so many consents be there, all at once; those who gave them need not be."""
    values = {
        "many": stock,
        "bank": party_uuid(BANK),
        "firm": party_uuid(FIRM),
        "companies": [party_uuid(one) for one in _companies()],
        "givers": [party_uuid(one) for one in givers],
        "resources": [resource(SERVICE), resource(LATER_SERVICE)],
    }
    with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(_FILL, values)


async def _furnish(bench: Bench, url: str, givers: Sequence[str]) -> ConsentWorld:
    environment(bench.folder, url, 0)  # makes the master key
    settings = load_settings(url=URL, state=bench.folder / "furnishing", master_key_file=bench.folder / "master.key")
    assembly = assemble(settings, url)
    try:
        await _declare_services(assembly)
        api_keys: dict[str, str] = {}
        for orgno in (BANK, FIRM, OWNER):
            declared = await assembly.altinn.consents.keys.declare(
                ApiKeyDeclaration(f"key-{orgno}", orgno, (), orgno == OWNER)
            )
            assert declared.secret is not None
            api_keys[orgno] = declared.secret
        key, issuer = (await assembly.altinn.keys.ring()).signer, assembly.altinn.exchange.tokens.issuer
        tokens = {str(one): _signed(key, issuer, _organisation(one)) for one in (BANK, FIRM, OWNER)}
        personal = {pid: _signed(key, issuer, _person(place, pid)) for place, pid in enumerate(givers)}
    finally:
        await assembly.close()
    return ConsentWorld(url, tokens, api_keys, personal)


async def _declare_services(assembly: Assembly) -> None:
    resources, texts = assembly.altinn.registers.resources, dict.fromkeys(("nb", "nn", "en"), "Lån for {Navn}")
    await resources.ensure_platform_resources()
    await resources.declare_service_owner(_CODE, ServiceOwner(orgnr=OWNER))
    for service in (SERVICE, LATER_SERVICE):
        document = ResourceDocument.model_validate(
            {
                "identifier": resource(service), "title": texts, "description": texts, "rightDescription": texts,
                "hasCompetentAuthority": {"organization": OWNER, "orgcode": _CODE}, "resourceType": "Consent",
                "consentTemplate": "default", "consentText": texts, "consentMetadata": {"Navn": {"optional": False}},
            }
        )  # fmt: skip
        await resources.declare_resource(document, consent_policy(resource(service), roles=["priv"], min_level=3))


def _signed(key: OpenKey, issuer: str, claims: Mapping[str, Any]) -> str:
    now = system_clock()
    ends = int((now + dt.timedelta(days=1)).timestamp())
    return key.sign({**claims, "iss": issuer, "iat": int(now.timestamp()), "exp": ends})


def _organisation(orgno: str) -> Mapping[str, Any]:
    return {"scope": _SCOPES, "consumer": {"authority": "iso6523-actorid-upis", "ID": f"0192:{orgno}"}}


def _person(place: int, pid: str) -> Mapping[str, Any]:
    return {
        "scope": "altinn:portal/enduser",
        "urn:altinn:userid": str(_FIRST_USER + place),
        "urn:altinn:party:uuid": str(party_uuid(pid)),
        "urn:altinn:authlevel": 4,
    }
