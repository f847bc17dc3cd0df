"""Seed 003's supplier: an API owner publishes an API, a consumer delegates it, a supplier calls on its behalf.

Who plays: Skatteetaten owns the API, Demo Bank may use it, Demo Leverandør is the bank's supplier. All of it over HTTP,
as each of them would do it; what is made is taken away at the end, so that it can be played again.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from fullmakt.altinn.resources.policies.standard import standard_policy
from fullmakt.cli.demo.stage import DemoFailedError, Stage
from fullmakt.client import Credentials
from fullmakt.jose.compact import parse_compact
from fullmakt.jose.keys import LocalSigner

OWNER, BANK, VENDOR = "314680138", "910753614", "312044005"
BANKS_DIRECTOR, VENDORS_DIRECTOR = "05895199925", "03817299813"
PREFIX, SUBSCOPE = "skatteetaten", "demo/inntekt"
SCOPE = f"{PREFIX}:{SUBSCOPE}"
RESOURCE = "demo-inntekt-api"
SOURCE = "https://tt02.altinn.no/"
PORTAL = "altinn:portal/enduser"

_TITLE = {"nb": "Inntekt (demo)", "nn": "Inntekt (demo)", "en": "Income (demo)"}


def play(stage: Stage) -> None:
    """Play it from beginning to end.

    Raises:
        DemoFailedError: a step did not come out as the story has it.
    """
    _publish(stage)
    with ExitStack() as at_the_end:  # a story that is interrupted leaves no client and no delegation either
        client_id = _make_client(stage)
        at_the_end.callback(_delete_client, stage, client_id)
        client = _register_key(stage, client_id)
        bank, vendor = _party(stage, BANK), _party(stage, VENDOR)
        director = stage.persons_token(BANKS_DIRECTOR, PORTAL)
        keep_supplier = _is_supplier(stage, director, bank)
        at_the_end.callback(_tidy, stage, director, bank, keep_supplier=keep_supplier)
        _ask_in_vain(stage, client)
        _delegate(stage, director, bank)
        _act_for_the_bank(stage, client)
        _withdraw(stage, client, director, bank)
        _ask_for_access(stage, client, director, bank, vendor)
    stage.done("The supplier got tokens while the delegation stood, and was told why when it did not.")


def _publish(stage: Stage) -> None:
    stage.step("Skatteetaten makes a scope that can be delegated, and lets the bank have it")
    token = stage.access_token("demo-skatt-admin", "idporten:scopes.read", "idporten:scopes.write")
    body = {"prefix": PREFIX, "subscope": SUBSCOPE, "description": "Inntekt (demo)", "delegation_source": SOURCE}
    scopes = stage.url("selvbetjening", "api/v1/scopes")
    if stage.send("GET", scopes, expect=(200, 404), token=token, params={"scope": SCOPE}).status_code == 404:
        stage.send("POST", scopes, expect=(200, 201), token=token, json=body)
    stage.send("PUT", f"{scopes}/access/{BANK}", expect=200, token=token, params={"scope": SCOPE})

    stage.step("Skatteetaten ties the scope to an API resource in the registry, with a policy")
    token = stage.access_token("demo-skatt-admin", "altinn:resourceregistry/resource.write")
    registry = stage.url("resourceregistry", "api/v1/resource")
    known = stage.send("GET", f"{registry}/{RESOURCE}", expect=(200, 404)).status_code == 200
    if known:
        stage.say("It is there from an earlier time: a new version takes its place.")
        stage.send("PUT", f"{registry}/{RESOURCE}", expect=200, token=token, json=_resource())
    else:
        stage.send("POST", registry, expect=201, token=token, json=_resource())
    policy = standard_policy(RESOURCE, roles=["apiadm"], actions=["ScopeAccess"], min_level=3)
    file = {"policyFile": ("policy.xml", policy, "text/xml")}
    stage.send("POST", f"{registry}/{RESOURCE}/policy", expect=201, token=token, files=file)
    stage.send("GET", f"{registry}/{RESOURCE}", expect=200)


def _resource() -> dict[str, Any]:
    return {
        "identifier": RESOURCE,
        "title": _TITLE,
        "description": _TITLE,
        "rightDescription": _TITLE,
        "status": "Active",
        "resourceType": "MaskinportenSchema",
        "resourceReferences": [
            {"referenceSource": "Altinn3", "reference": SCOPE, "referenceType": "MaskinportenScope"}
        ],
        "hasCompetentAuthority": {"organization": OWNER, "orgcode": "skd", "name": {"nb": "Skatteetaten (demo)"}},
    }


def _make_client(stage: Stage) -> str:
    """Its id."""
    stage.step("The supplier makes a client of its own with the scope, and registers its key")
    token = stage.access_token("demo-vendor-admin", "idporten:dcr.write")
    body = {
        "client_name": "Leverandørens klient (demo)",
        "description": "Laget av fullmakt demo delegering",
        "integration_type": "maskinporten",
        "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "token_endpoint_auth_method": "private_key_jwt",
        "scopes": [SCOPE],
    }
    clients = stage.url("selvbetjening", "api/v1/clients")
    return str(stage.send("POST", clients, expect=(200, 201), token=token, json=body).json()["client_id"])


def _register_key(stage: Stage, client_id: str) -> Credentials:
    token = stage.access_token("demo-vendor-admin", "idporten:dcr.write")
    signer = LocalSigner.generate()
    keys = {"keys": [signer.public_jwk()]}
    url = stage.url("selvbetjening", f"api/v1/clients/{client_id}/jwks")
    stage.send("POST", url, expect=(200, 201), token=token, json=keys)
    return Credentials(stage.place.issuer, client_id, signer)


def _delete_client(stage: Stage, client_id: str) -> None:
    stage.step("The supplier removes its client")
    token = stage.access_token("demo-vendor-admin", "idporten:dcr.write")
    stage.send("DELETE", stage.url("selvbetjening", f"api/v1/clients/{client_id}"), expect=(200, 204), token=token)


def _is_supplier(stage: Stage, director: str, bank: str) -> bool:
    """Whether the supplier is one of the bank's from before; what a story that was broken off gave it is withdrawn."""
    suppliers = stage.url("accessmanagement", "api/v1/enduser/maskinportensuppliers")
    where = {"party": bank, "supplier": VENDOR}
    known = bool(stage.send("GET", suppliers, expect=200, token=director, params=where).json())
    given = stage.send("GET", f"{suppliers}/resources", expect=200, token=director, params=where).json()
    if any(each["resource"]["refId"] == RESOURCE for each in given):
        stage.say("The API is delegated from an earlier time: the bank withdraws it first.")
        about = {**where, "resource": RESOURCE}
        stage.send("DELETE", f"{suppliers}/resources", expect=204, token=director, params=about)
    return known


def _ask_in_vain(stage: Stage, client: Credentials) -> None:
    stage.step("Before anything is delegated: the supplier is refused")
    stage.say("On its own behalf it has no access (MP-250), and for the bank it has no delegation (MP-251).")
    _refused(stage, client, "MP-250")
    _refused(stage, client, "MP-251", consumer_org=BANK)


def _refused(stage: Stage, client: Credentials, code: str, **asked: Any) -> None:
    answer = stage.token(client, SCOPE, expect=403, **asked).json()
    if not str(answer.get("error_uri", "")).endswith(code):
        raise DemoFailedError(f"expected {code}, got {answer.get('error_uri')}")


def _delegate(stage: Stage, director: str, bank: str) -> None:
    stage.step("The bank's managing director delegates the API to the supplier")
    suppliers = stage.url("accessmanagement", "api/v1/enduser/maskinportensuppliers")
    where = {"party": bank, "supplier": VENDOR}
    about = {**where, "resource": RESOURCE}
    check = {"party": bank, "resource": RESOURCE}
    stage.send("GET", f"{suppliers}/resources/delegationcheck", expect=200, token=director, params=check)
    stage.send("POST", suppliers, expect=200, token=director, params=where)
    stage.send("POST", f"{suppliers}/resources", expect=200, token=director, params=about)


def _act_for_the_bank(stage: Stage, client: Credentials) -> None:
    stage.step("The supplier gets a token for the bank")
    token = stage.access_token(client, SCOPE, consumer_org=BANK)
    stage.show("The token says:", parse_compact(token).unverified_payload)

    stage.step("Skatteetaten looks the delegation up, as Maskinporten did")
    owner = stage.access_token("demo-skatt-admin", "altinn:maskinporten/delegations")
    look_up = stage.url("accessmanagement", "api/v1/maskinporten/delegations/")
    asked = {"supplierOrg": VENDOR, "consumerOrg": BANK, "scope": SCOPE}
    if not stage.send("GET", look_up, expect=200, token=owner, params=asked).json():
        raise DemoFailedError("expected the delegation in the answer")


def _withdraw(stage: Stage, client: Credentials, director: str, bank: str) -> None:
    stage.step("The bank withdraws it, and the next token is refused")
    suppliers = stage.url("accessmanagement", "api/v1/enduser/maskinportensuppliers")
    about = {"party": bank, "supplier": VENDOR, "resource": RESOURCE}
    stage.send("DELETE", f"{suppliers}/resources", expect=204, token=director, params=about)
    _refused(stage, client, "MP-251", consumer_org=BANK)


def _ask_for_access(stage: Stage, client: Credentials, director: str, bank: str, vendor: str) -> None:
    stage.step("The supplier asks for it instead; the bank says no")
    asker = stage.persons_token(VENDORS_DIRECTOR, PORTAL)
    requests = stage.url("accessmanagement", "api/v1/enduser/request")
    about = {"party": vendor, "to": bank, "resource": RESOURCE}

    def answer(verdict: str) -> None:
        asked = stage.send("POST", f"{requests}/resource", expect=200, token=asker, params=about).json()
        where = {"party": bank, "id": asked["id"]}
        stage.send("PUT", f"{requests}/received/{verdict}", expect=200, token=director, params=where)

    answer("reject")
    _refused(stage, client, "MP-251", consumer_org=BANK)

    stage.step("The supplier asks again; the bank approves, and there is a token")
    answer("approve")
    stage.access_token(client, SCOPE, consumer_org=BANK)


def _tidy(stage: Stage, director: str, bank: str, *, keep_supplier: bool) -> None:
    stage.step("The bank withdraws what it gave, and leaves its other delegations as they were")
    suppliers = stage.url("accessmanagement", "api/v1/enduser/maskinportensuppliers")
    where = {"party": bank, "supplier": VENDOR}
    stage.send("DELETE", f"{suppliers}/resources", expect=204, token=director, params={**where, "resource": RESOURCE})
    if not keep_supplier:
        stage.send("DELETE", suppliers, expect=204, token=director, params=where)


def _party(stage: Stage, orgno: str) -> str:
    found = stage.send("GET", stage.url("register", f"api/v1/organizations/{orgno}"), expect=200).json()
    return str(found["partyUuid"])
