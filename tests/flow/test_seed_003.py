"""Seed 003: every request, token and check that it shows, by the headings that it has them under.

The grant that lives for 120 000 seconds, as in the seed's first example, is in ``test_lanekassen``: it is refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fullmakt.client import AsyncMaskinportenClient, Credentials, MaskinportenError
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.lanekassen.config import SCOPE
from tests.support.lanekassen import (
    API_KEYS,
    BANK,
    BASE,
    CLIENTS,
    DELEGATION_SOURCE,
    OTHER_SCOPE,
    OTHERS,
    VENDOR,
    Setting,
    balance,
    refused,
    setting,
)
from tests.support.tokens import NOW, RegistryRows, key_number, payload_of, sign

SELF = f"{BASE}/selvbetjening/api/v1"
AUTHORITY = "iso6523-actorid-upis"


@pytest.fixture
async def there(database_url: str, tmp_path: Path) -> AsyncIterator[Setting]:
    clock = FixedClock(NOW)
    async with setting(database_url, tmp_path, clock, maskinporten={"revocation": False}, burst=1_000) as there:
        for holder in (BANK, VENDOR):
            rows = RegistryRows(there.assembly.database)
            await rows.client(f"certified-{holder}", client_orgno=holder, scopes=[SCOPE], keys=[])
        yield there


async def granted(there: Setting, number: int, **claims: Any) -> dict[str, Any]:
    """What the token says that a grant with just these claims gives."""
    grant = sign(claims, key_number(number))
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": grant}
    answer = await there.http.post(f"{there.assembly.settings.issuer}token", data=form)
    assert answer.status_code == 200, answer.text
    return payload_of(answer.json()["access_token"])


async def certified(there: Setting, organisation: OrgNumber, client: OrgNumber, **asked: Any) -> dict[str, Any]:
    """What a token says that a client of ``client``'s fetches with the certificate of ``organisation``."""
    assert there.assembly.pki is not None
    issued = await there.assembly.pki.issue(organisation, "Org")
    assert isinstance(issued.key, LocalSigner)
    credentials = Credentials(there.assembly.settings.issuer, f"certified-{client}", issued.key, tuple(issued.x5c))
    maskinporten = AsyncMaskinportenClient(credentials, clock=there.assembly.clock, http=there.http)
    return payload_of((await maskinporten.token(SCOPE, **asked)).value)


async def test_opprette_klient_and_integrasjon_the_fields_are_taken_as_the_seed_fills_them_in(there: Setting) -> None:
    """Grant type, authentication method, «Engangs», and time-outs of up to 120 seconds."""
    rows = RegistryRows(there.assembly.database)
    await rows.scope("idporten:dcr.write", access=[BANK])
    await rows.client("admin", client_orgno=BANK, scopes=["idporten:dcr.write"], keys=[key_number(3)])
    credentials = Credentials(there.assembly.settings.issuer, "admin", key_number(3))
    token = await AsyncMaskinportenClient(credentials, clock=there.assembly.clock, http=there.http).token(
        "idporten:dcr.write"
    )
    fields = {
        "integration_type": "maskinporten", "scopes": [SCOPE], "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"], "refresh_token_usage": "ONETIME",
        "access_token_lifetime": 120, "refresh_token_lifetime": 120, "authorization_lifetime": 120,
    }  # fmt: skip
    body = {"client_name": "Saldo", "description": "Saldo på studielån", **fields}
    made = await there.http.post(f"{SELF}/clients", json=body, headers={"Authorization": f"Bearer {token.value}"})
    assert made.is_success, made.text
    assert {name: made.json()[name] for name in fields} == fields
    assert made.json()["client_id"]  # «vil den få en identifikator»: the issuer of its grants


async def test_oppretting_av_tokens_the_example_request_gives_the_example_access_token(there: Setting) -> None:
    at, issuer = int(NOW.timestamp()), there.assembly.settings.issuer
    asked = {"aud": issuer, "scope": SCOPE, "iss": CLIENTS[BANK], "iat": at, "exp": at + 120, "jti": "E05750BC-5066"}
    token = await granted(there, 1, **asked)
    assert token.keys() == {
        "scope", "iss", "client_amr", "token_type", "exp", "iat", "jti", "consumer", "client_id",
    }  # fmt: skip
    assert (token["scope"], token["iss"], token["token_type"]) == (SCOPE, issuer, "Bearer")
    assert token["consumer"] == {"authority": AUTHORITY, "ID": f"0192:{BANK}"}
    assert token["jti"] != asked["jti"]


async def test_consumer_org_the_example_request_of_a_third_party_gives_its_example_access_token(
    there: Setting,
) -> None:
    at, issuer = int(NOW.timestamp()), there.assembly.settings.issuer
    asked = {"aud": issuer, "scope": SCOPE, "iss": CLIENTS[VENDOR], "exp": at + 120, "iat": at, "jti": "eb6ab01e-5834"}
    token = await granted(there, 2, **asked, consumer_org=BANK)
    assert token.keys() == {
        "iss", "client_amr", "token_type", "client_id", "scope", "supplier", "exp", "delegation_source", "iat", "jti",
        "consumer",
    }  # fmt: skip
    assert (token["client_id"], token["delegation_source"]) == (CLIENTS[VENDOR], DELEGATION_SOURCE)
    assert token["supplier"] == {"authority": AUTHORITY, "ID": f"0192:{VENDOR}"}
    assert token["consumer"] == {"authority": AUTHORITY, "ID": f"0192:{BANK}"}


async def test_maskinporten_og_consumer_it_is_set_by_the_enterprise_certificate_that_was_used(there: Setting) -> None:
    token = await certified(there, BANK, BANK)
    assert (token["client_amr"], token["consumer"]["ID"]) == ("virksomhetssertifikat", f"0192:{BANK}")
    with pytest.raises(MaskinportenError) as error:
        await certified(there, VENDOR, BANK)
    assert error.value.code == "MP-122"


async def test_virksomhetssertifikat_a_supplier_with_its_own_certificate_has_to_use_delegation(there: Setting) -> None:
    with pytest.raises(MaskinportenError) as error:
        await certified(there, VENDOR, VENDOR)
    assert (error.value.status, error.value.code) == (403, "MP-250")
    token = await certified(there, VENDOR, VENDOR, consumer_org=BANK)
    assert (token["client_amr"], token["consumer"]["ID"]) == ("virksomhetssertifikat", f"0192:{BANK}")
    assert token["supplier"]["ID"] == f"0192:{VENDOR}"


async def test_tolking_av_tokens_each_of_the_seeds_checks_is_lånekassens(there: Setting) -> None:
    """The order of the seed: the consumer, the scope, OfferedBy, CoveredBy, ValidTo; and that both are the same's."""
    good, at = await there.token(), int(NOW.timestamp())
    nobody = await there.odd_token(consumer={"authority": AUTHORITY, "ID": BANK})  # without 0192:
    for token, consent, status, check, reason in (
        (nobody, {}, 401, 4, "invalid_token"),
        (await there.token(scope=OTHER_SCOPE), {}, 401, 5, "insufficient_scope"),
        (good, {"OfferedBy": OTHERS}, 403, 11, "consent_other_giver"),
        (good, {"CoveredBy": str(VENDOR)}, 403, 10, "consent_other_receiver"),
        (good, {"CoveredBy": f"0192:{BANK}"}, 403, 8, "consent_bad_claim"),
        (good, {"ValidToDate": None, "ValidTo": at}, 403, 12, "consent_lapsed"),
    ):
        await refused(there, await there.ask(token, Consent__ID=there.consent(**consent)), status, check, reason)
    supplied = await there.token(VENDOR, consumer_org=BANK)
    others = there.consent(CoveredBy=str(VENDOR))  # the supplier's own number is in one token alone
    answer = await there.ask(supplied, ApiKey=API_KEYS[VENDOR], Consent__ID=others)
    await refused(there, answer, 403, 10, "consent_other_receiver")
    assert await balance(await there.ask(good, Consent__ID=there.consent(ValidToDate=None, ValidTo=at + 1)))
