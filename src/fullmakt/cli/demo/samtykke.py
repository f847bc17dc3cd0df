"""Seed 002's four processes: an API, a consent service, a consumer and its clients; then somebody consents.

Who plays is told in ``saldo``. All of it over HTTP, as each of them would do it, with the names that the demo world
has: what is there already is published anew as it stands. The bank is taken off both of Lånekassen's lists to begin
with, and is on them at the end.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from fullmakt.altinn.resources.policies.standard import consent_policy, standard_policy
from fullmakt.cli.demo import saldo
from fullmakt.cli.demo.saldo import BANK, CODE, EDITION, LANEKASSEN, RESOURCE, SCOPE, Asker
from fullmakt.cli.demo.stage import DemoFailedError, Stage
from fullmakt.client import Credentials
from fullmakt.jose.compact import parse_compact
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import system_clock

API_RESOURCE = "lanekassen-saldoopplysninger"
_SERVICE = {"serviceCode": CODE, "serviceEditionCode": str(EDITION)}
_ENTRY = {
    "ServiceCode": CODE,
    "ServiceEditionCode": EDITION,
    "Reportee": BANK,
    "Right": "Read",
    "ValidTo": "2099-01-01T00:00:00Z",
    "Condition": {"AllowedRedirectDomain": ["localhost", "*.bank.example"]},
}


def play(stage: Stage) -> None:
    """Play it from beginning to end.

    Raises:
        DemoFailedError: a step did not come out as the story has it.
    """
    with ExitStack() as at_the_end:  # a story that is interrupted leaves no client, and the bank on both lists
        _create_api(stage)
        _create_consent_service(stage)
        at_the_end.callback(_restore_lists, stage)
        _take_off_lists(stage)
        asker = _provision(stage, at_the_end)
        _ask_in_vain(stage, asker)
        _onboard(stage)
        _altinn2(stage, asker, at_the_end)
        _altinn3(stage, asker, at_the_end)
    stage.done("The balance came back while the borrower's consent stood; on neither list, the bank got nothing.")


def _create_api(stage: Stage) -> None:
    stage.step("Process 1: Lånekassen makes a scope for its API, one that can be delegated")
    token = stage.access_token("demo-lanekassen-admin", "idporten:scopes.read", "idporten:scopes.write")
    scopes = stage.url("selvbetjening", "api/v1/scopes")
    if stage.send("GET", scopes, expect=(200, 404), token=token, params={"scope": SCOPE}).status_code == 404:
        prefix, subscope = SCOPE.split(":", 1)
        body = {
            "prefix": prefix,
            "subscope": subscope,
            "description": "Saldoopplysninger for studielån",
            "delegation_source": "https://tt02.altinn.no/",
        }
        stage.send("POST", scopes, expect=(200, 201), token=token, json=body)

    stage.step("It ties the scope to an API resource, which consumers can delegate to their suppliers")
    policy = standard_policy(API_RESOURCE, roles=["apiadm"], actions=["ScopeAccess"], min_level=3)
    references = [{"referenceSource": "Altinn3", "reference": SCOPE, "referenceType": "MaskinportenScope"}]
    title = "Saldoopplysninger for studielån"
    _publish(stage, policy, _resource(API_RESOURCE, "MaskinportenSchema", title) | {"resourceReferences": references})


def _create_consent_service(stage: Stage) -> None:
    stage.step(f"Process 2: it makes the consent service {CODE}_{EDITION}: what people read, and who may give it")
    text = "{Navn} kan hente saldoen på studielånet ditt fra Lånekassen, og bare vise den til deg."
    terms = {
        "consentTemplate": "default",
        "consentText": dict.fromkeys(("nb", "nn", "en"), text),
        "consentMetadata": {"Navn": {"optional": False}},
        "isOneTimeConsent": False,
    }
    _publish(
        stage,
        consent_policy(RESOURCE, roles=["priv"], min_level=3),
        _resource(RESOURCE, "Consent", "Saldo på studielån") | terms,
    )


def _resource(identifier: str, kind: str, title: str) -> dict[str, Any]:
    said = dict.fromkeys(("nb", "nn", "en"), title)
    return {
        "identifier": identifier,
        "title": said,
        "description": said,
        "rightDescription": said,
        "status": "Active",
        "resourceType": kind,
        "hasCompetentAuthority": {
            "organization": LANEKASSEN,
            "orgcode": "lanekassen",
            "name": {"nb": "Lånekassen (demo)"},
        },
    }


def _publish(stage: Stage, policy: bytes, document: dict[str, Any]) -> None:
    token = stage.access_token("demo-lanekassen-admin", "altinn:resourceregistry/resource.write")
    registry, identifier = stage.url("resourceregistry", "api/v1/resource"), document["identifier"]
    known = stage.send("GET", f"{registry}/{identifier}", expect=(200, 404))
    if known.status_code == 200:
        stage.say("It is there already: a new version takes its place, the same in every word.")
        stage.send("PUT", f"{registry}/{identifier}", expect=200, token=token, json=known.json())
    else:
        stage.send("POST", registry, expect=201, token=token, json=document)
    file = {"policyFile": ("policy.xml", policy, "text/xml")}
    stage.send("POST", f"{registry}/{identifier}/policy", expect=201, token=token, files=file)


# -- process 3: the two lists -----------------------------------------------------------------------------------------


def _take_off_lists(stage: Stage) -> None:
    stage.step("Before a new consumer: the bank is in neither list, not Maskinporten's and not SRR's")
    token = stage.access_token("demo-lanekassen-admin", "idporten:scopes.write")
    stage.send("DELETE", _access(stage), expect=(200, 204, 404), token=token, params={"scope": SCOPE})
    for entry in _entries(stage):
        url = saldo.altinn2(stage, f"api/serviceowner/srr/{entry['Id']}")
        stage.send("DELETE", url, expect=200, **_owner(stage, "write"))


def _onboard(stage: Stage) -> None:
    stage.step("Process 3: Lånekassen lets the bank have the scope in Maskinporten")
    token = stage.access_token("demo-lanekassen-admin", "idporten:scopes.write")
    stage.send("PUT", _access(stage), expect=200, token=token, params={"scope": SCOPE})

    stage.step("and lists it in SRR, with the domains that browsers may be sent back to")
    _list_in_srr(stage)
    stage.say("The two lists have to be kept equal: fullmakt srr sync tells where they are not.")


def _restore_lists(stage: Stage) -> None:
    """What a story that was broken off has taken away is put back."""
    stage.step("Lånekassen sees to it that the bank is on both lists")
    token = stage.access_token("demo-lanekassen-admin", "idporten:scopes.write")
    stage.send("PUT", _access(stage), expect=200, token=token, params={"scope": SCOPE})
    if not _entries(stage):
        _list_in_srr(stage)


def _entries(stage: Stage) -> list[dict[str, Any]]:
    url = saldo.altinn2(stage, "api/serviceowner/srr")
    asked = {**_SERVICE, "reportee": BANK}
    found: list[dict[str, Any]] = stage.send("GET", url, expect=200, params=asked, **_owner(stage, "read")).json()
    return found


def _list_in_srr(stage: Stage) -> None:
    url = saldo.altinn2(stage, "api/serviceowner/srr")
    added = stage.send("POST", url, expect=200, json=[_ENTRY], **_owner(stage, "write")).json()
    if added[0]["OperationStatus"] != "OK":
        raise DemoFailedError(f"expected the entry to be made, got {added[0]['OperationStatus']}")


def _owner(stage: Stage, verb: str) -> dict[str, Any]:
    """How Lånekassen calls SRR: its API key, and its token."""
    headers = {"ApiKey": saldo.altinn_key(stage, "demo-lanekassen"), "Accept": "application/json"}
    return {"token": stage.access_token("demo-lanekassen-admin", f"altinn:serviceowner/srr.{verb}"), "headers": headers}


def _access(stage: Stage) -> str:
    return stage.url("selvbetjening", f"api/v1/scopes/access/{BANK}")


# -- process 4: clients, each with as little access as possible -------------------------------------------------------


def _provision(stage: Stage, at_the_end: ExitStack) -> Asker:
    stage.step("Process 4: the bank makes a client for consents, and another one for balances")
    stage.say("Neither can do what the other can: a key that is lost opens as little as possible.")
    consents = _client(stage, "Bankens samtykker (demo)", [saldo.READ, saldo.WRITE, saldo.TOKENS], at_the_end)
    balances = _client(stage, "Bankens saldoer (demo)", [SCOPE], at_the_end)
    stage.say("Altinn has sent the bank an API key, and Lånekassen has sent it another.")
    key = saldo.altinn_key(stage, "demo-bank")
    return Asker(consents, balances, altinn_key=key, source_key=saldo.source_key(stage, BANK))


def _client(stage: Stage, name: str, scopes: list[str], at_the_end: ExitStack) -> Credentials:
    token = stage.access_token("demo-bank-admin", "idporten:dcr.write")
    clients = stage.url("selvbetjening", "api/v1/clients")
    body = {
        "client_name": name,
        "description": "Laget av fullmakt demo samtykke",
        "integration_type": "maskinporten",
        "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "token_endpoint_auth_method": "private_key_jwt",
        "scopes": scopes,
    }
    client_id = str(stage.send("POST", clients, expect=(200, 201), token=token, json=body).json()["client_id"])
    at_the_end.callback(_delete_client, stage, client_id)
    signer = LocalSigner.generate()
    keys = {"keys": [signer.public_jwk()]}
    stage.send("POST", f"{clients}/{client_id}/jwks", expect=(200, 201), token=token, json=keys)
    return Credentials(stage.place.issuer, client_id, signer)


def _delete_client(stage: Stage, client_id: str) -> None:
    stage.step("The bank removes a client")
    token = stage.access_token("demo-bank-admin", "idporten:dcr.write")
    stage.send("DELETE", stage.url("selvbetjening", f"api/v1/clients/{client_id}"), expect=(200, 204), token=token)


def _ask_in_vain(stage: Stage, asker: Asker) -> None:
    stage.step("The bank is on neither list yet: it can ask nobody for consent, and gets no token for the API")
    refused = saldo.request_altinn2(stage, asker, expect=400)
    stage.say(f"SRR spares people dialogues that lead nowhere: {refused['errors'][0]['ErrorMessage']}")
    answer = stage.token(asker.balances, SCOPE, expect=403).json()
    if not str(answer.get("error_uri", "")).endswith("MP-250"):
        raise DemoFailedError(f"expected MP-250, got {answer.get('error_uri')}")


# -- run time ---------------------------------------------------------------------------------------------------------


def _altinn2(stage: Stage, asker: Asker, at_the_end: ExitStack) -> None:
    stage.step("Altinn 2's form: the bank asks Jonas for consent")
    asked = saldo.request_altinn2(stage, asker)
    code = saldo.code_of(asked)
    stage.step("Jonas says yes")
    saldo.accept(stage, code, asked["_links"]["gui"]["href"])
    ended = at_the_end.enter_context(ExitStack())
    ended.callback(saldo.revoke, stage, code)
    stage.say(f"His browser goes back to {saldo.BACK}?AuthorizationCode={code}&Status=OK")

    stage.step("The bank exchanges the code for a consent token")
    consent = saldo.consent_token(stage, asker, code)
    stage.step("and fetches the balance with both tokens")
    token = stage.access_token(asker.balances, SCOPE)
    saldo.balance(stage, asker, token, consent=consent)
    stage.step("It says that the consent has been used, for Jonas to see")
    _log_use(stage, asker, code)

    stage.step("Jonas takes it back: no consent token any more, and no balance either")
    ended.close()
    stage.say(saldo.draw(stage, asker, code, expect=403))
    saldo.balance(stage, asker, token, expect=403)


def _log_use(stage: Stage, asker: Asker, code: str) -> None:
    url = saldo.altinn2(stage, f"api/authorization/token/{code}/loguse")
    used = {"ServiceCode": CODE, "ServiceEditionCode": EDITION, "UsageDateTime": system_clock().isoformat()}
    token = stage.access_token(asker.consents, saldo.TOKENS)
    stage.send("POST", url, expect=204, token=token, headers={"ApiKey": asker.altinn_key}, json=used)


def _altinn3(stage: Stage, asker: Asker, at_the_end: ExitStack) -> None:
    stage.step("Altinn 3's form: the bank asks again, without an API key")
    asked = saldo.request_altinn3(stage, asker)
    details = saldo.consent_details(asked["id"])
    stage.step("Before there is an answer, Maskinporten has nothing to draw")
    stage.token(asker.balances, SCOPE, expect=400, authorization_details=details)
    stage.step("Jonas says yes")
    saldo.accept(stage, asked["id"], asked["viewUri"])
    ended = at_the_end.enter_context(ExitStack())
    ended.callback(saldo.revoke, stage, asked["id"])
    stage.say(f"His browser goes back to {saldo.BACK}?Status=OK")

    stage.step("One token carries both the bank's access and Jonas' consent")
    token = stage.access_token(asker.balances, SCOPE, authorization_details=details)
    stage.show("The token says:", parse_compact(token).unverified_payload)
    saldo.balance(stage, asker, token)

    stage.step("Jonas takes it back: the next token is refused")
    ended.close()
    stage.token(asker.balances, SCOPE, expect=400, authorization_details=details)
