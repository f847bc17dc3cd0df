"""`fullmakt inspect` says of a grant what the token server says of it, for it asks the same rules."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest
from cryptography import x509

from fullmakt.cli.inspection.inspecting import inspect
from fullmakt.cli.inspection.reading import Jwt
from fullmakt.cli.inspection.report import Outcome
from fullmakt.cli.inspection.surroundings import Known, Surroundings
from fullmakt.client import system_user, virksys
from fullmakt.infra.database import Database
from fullmakt.infra.feed import Changes
from fullmakt.jose.chains import TrustAnchors, ValidatedCertificate
from fullmakt.wire.altinn.systemusers import VirksysAnswer
from tests.support.token_consents import (
    CONSENT,
    CONSENT_ID,
    AltinnWithConsents,
    ConsentsInOurDatabase,
    element_of,
)
from tests.support.token_nodes import node
from tests.support.token_system_users import PART, AltinnWithSystemUsers, SystemUsersAsSeenByANode, question_of
from tests.support.tokens import (
    ABSENT,
    CLIENT_ID,
    ISSUER,
    NOW,
    ORGNO,
    PID,
    SCOPE,
    SECONDS,
    SUPPLIER,
    RegistryInMemory,
    claims_of,
    key_number,
    registered_client,
    registered_key,
    registered_scope,
    sign,
)

CLIENTS = (
    registered_client(
        keys=(registered_key(), registered_key(key_number(3), expires_at=SECONDS - 1.0)),
        scopes=(
            registered_scope(),
            registered_scope("demo:closed", access=False),
            registered_scope("demo:inactive", active=False),
            registered_scope("demo:login", allowed_integration_types=("idporten",)),
            registered_scope("demo:delegated", delegation_source="https://altinn.test/"),
            registered_scope("demo:undelegated", delegation_source="https://altinn.test/"),
        ),
    ),
    registered_client(client_id="sleeping", active=False),
    registered_client(client_id="keyless", keys=()),
    registered_client(client_id="login", integration_type="idporten"),
    registered_client(client_id="system", integration_type="altinn_virksys"),
)
CLAIMS: Sequence[dict[str, Any]] = (
    {},
    {"aud": ISSUER[:-1]},
    {"aud": [ISSUER]},
    {"iss": "nobody"},
    {"iss": "sleeping"},
    {"iss": "keyless"},
    {"iss": "login"},
    {"iss": ABSENT},
    {"other": 1},
    {"iat": SECONDS - 300, "exp": SECONDS - 200},
    {"iat": SECONDS + 60, "exp": SECONDS + 90},
    {"exp": SECONDS + 121},
    {"exp": "soon"},
    {"nbf": SECONDS + 60},
    {"pid": PID},
    {"pid": PID[:-1] + "0"},
    {"resource": "https://api.test/"},
    {"resource": "nowhere"},
    {"scope": "demo:closed demo:unknown"},
    {"scope": f"{SCOPE} demo:inactive"},
    {"scope": "demo:login demo:closed"},
    {"scope": "demo:closed"},
    {"consumer_org": ORGNO},
    {"consumer_org": ORGNO, "scope": "demo:delegated"},
    {"consumer_org": SUPPLIER},
    {"consumer_org": SUPPLIER, "scope": "demo:delegated"},
    {"consumer_org": SUPPLIER, "scope": "demo:delegated demo:undelegated"},
    {"consumer_org": SUPPLIER, "iss_onbehalfof": "x"},
    {"authorization_details": []},
    {"authorization_details": [{"type": "urn:altinn:consent"}]},
    {"authorization_details": [element_of()]},
    {"authorization_details": [{**element_of(), "to": "x"}]},
    {"authorization_details": [element_of("0d2f8f0e-3b3c-4c1a-9e0a-1f6f2d6d8a55")]},
    {"authorization_details": [element_of(giver="urn:altinn:organization:identifier-no:310943223")]},
    {"authorization_details": [element_of()], "consumer_org": SUPPLIER, "scope": "demo:delegated"},
    element_of(),
    {"authorization_details": [{"type": "urn:altinn:systemuser"}]},
    {"authorization_details": [{**system_user("314168267"), "externalref": "x"}]},
    {"authorization_details": [system_user("314168267")]},
    {"authorization_details": [system_user("310943223")]},
    {"authorization_details": [system_user("314168267")], "consumer_org": SUPPLIER},
    {"authorization_details": [system_user("314168267")], "scope": "demo:closed"},
    {"authorization_details": [virksys("999888777")]},
    {"authorization_details": [virksys("999888777")], "iss": "system"},
    {"authorization_details": [virksys("888666555", rettigheit=["skatt"])], "iss": "system"},
)
HEADERS: Sequence[dict[str, Any]] = (
    {},
    {"alg": "none"},
    {"crit": ["exp"]},
    {"kid": ABSENT},
    {"kid": "unknown"},
    {"kid": "key-3"},
    {"kid": ABSENT, "x5c": "no list"},
    {"kid": ABSENT, "x5c": ["AAAA"]},
)


async def _no_lists(_certificate: ValidatedCertificate) -> Sequence[x509.CertificateRevocationList]:
    return []


class _Altinn:
    """``SUPPLIER`` has delegated one scope to ``ORGNO``; asked each time."""

    topics: Sequence[str] = ()

    async def delegated_scopes(self, pairs: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], frozenset[str]]:
        return {pair: frozenset({"demo:delegated"}) for pair in pairs if pair == (ORGNO, SUPPLIER)}

    async def changes_since(self, version: int) -> Changes:
        return Changes(version, ())


def _look_ups(database: Database) -> SystemUsersAsSeenByANode:
    """One organisation has approved a system user, and one party's rights are there."""
    altinn = AltinnWithSystemUsers(database)
    altinn.approved = {question_of()}
    altinn.rights = {PART: VirksysAnswer(PART, None, ("skatt",))}
    return SystemUsersAsSeenByANode(altinn)


def _consents(database: Database) -> ConsentsInOurDatabase:
    """One person has consented."""
    altinn = AltinnWithConsents(database)
    altinn.given = {CONSENT_ID: CONSENT}
    return ConsentsInOurDatabase(altinn)


@pytest.mark.parametrize("altinn", [None, _Altinn()], ids=["without Altinn", "with Altinn"])
async def test_every_grant_is_judged_alike(database_url: str, database: Database, altinn: _Altinn | None) -> None:
    registry = RegistryInMemory(*CLIENTS)
    registry.granted = frozenset({(SUPPLIER, "demo:delegated"), (SUPPLIER, "demo:undelegated")})
    look_ups = None if altinn is None else _look_ups(database)
    consents = None if altinn is None else _consents(database)
    async with node(
        database_url,
        registry=registry,
        delegations=altinn,
        system_users=look_ups,
        consents=consents,
        virksys=True,
        explain=True,
    ) as server:
        known = Known(server.service.config, registry, TrustAnchors(()), {}, _no_lists, altinn, look_ups, consents)
        around = Surroundings(NOW, known)
        for changes, header in itertools.product(CLAIMS, HEADERS):
            grant = sign(claims_of(**changes), key_number(1), **header)
            report = await inspect(Jwt(grant), around)
            answer = (await server.post(grant)).json()
            refused = [finding for finding in report.findings if finding.outcome is Outcome.FAILED]
            said = answer.get("explanation", {}).get("reason")
            assert (refused[0].reason if refused else None) == said, (changes, header)
            if refused and refused[0].code:
                assert answer["error_uri"] == f"{ISSUER}errors/{refused[0].code}"


async def test_looking_at_a_grant_does_not_use_it_up(database_url: str) -> None:
    registry = RegistryInMemory(*CLIENTS)
    async with node(database_url, registry=registry) as server:
        grant = sign(claims_of(iss=CLIENT_ID))
        around = Surroundings(NOW, Known(server.service.config, registry, TrustAnchors(()), {}, _no_lists))
        await inspect(Jwt(grant), around)
        assert (await server.post(grant)).status_code == 200
