"""Seeds 004 and 001: a vendor's enterprise system is registered, a customer approves it, and it gets its tokens.

Who plays: Altinn makes the client on behalf of Demo Leverandør, the system's vendor. Øvre Toten Regnskapstjenester uses
the system for its client, Øvre Toten Bakeri, at Skatteetaten's API. All of it over HTTP, as each of them would do it;
what is made is taken away at the end, so that it can be played again.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from fullmakt.cli.demo.stage import DemoFailedError, Stage
from fullmakt.client import Credentials
from fullmakt.jose.compact import parse_compact
from fullmakt.jose.keys import LocalSigner

VENDOR, ACCOUNTANT, BAKERY = "312044005", "888666555", "999888777"
ACCOUNTANTS_DIRECTOR = "17865599978"
SCOPE = "skatteetaten:mva"
PACKAGE = "urn:altinn:accesspackage:regnskapsforer-med-signeringsrettighet"
PORTAL = "altinn:portal/enduser"
CLIENTS_SCOPES = ("altinn:clientdelegations.read", "altinn:clientdelegations.write")
NAME = "Turboskatt for Øvre Toten Regnskapstjenester (demo)"


@dataclass(frozen=True, slots=True)
class _Approved:
    """What the accountant has: its system user, and the director's token."""

    system_user: str
    director: str
    party: str


def play(stage: Stage) -> None:
    """Play it from beginning to end.

    Raises:
        DemoFailedError: a step did not come out as the story has it.
    """
    with ExitStack() as at_the_end:  # a story that is interrupted leaves no client and no system either
        client_id = _make_client(stage)
        system = f"{VENDOR}_demo_{client_id[:8]}"
        at_the_end.callback(_tidy, stage, client_id, system)
        client = _register_key(stage, client_id)
        _register_system(stage, client, system)
        _ask_in_vain(stage, client)
        approved = _approve(stage, system)
        _take_a_client(stage, approved)
        _virksomhetstoken(stage, client)
        _not_passed_on(stage, client)
        _production_form(stage, client)
        _take_back(stage, client, approved)
    stage.done("The system got tokens for the bakery while the accountant let it, and was told why when it did not.")


def _make_client(stage: Stage) -> str:
    """Its id."""
    stage.step("Altinn's back end looks at the vendor's enterprise systems, and at the scopes it may give them")
    altinn = stage.access_token("demo-digdir-admin", "idporten:dcr.write", "idporten:dcr.supplier")
    api = stage.url("selvbetjening", "api/v1")
    mine = {"integration_type": '"altinn_virksys"', "client_orgno": VENDOR}
    stage.send("GET", f"{api}/clients", expect=200, token=altinn, params=mine)
    stage.send("GET", f"{api}/scopes/access/for_consumer", expect=200, token=altinn, params={"consumer_org": VENDOR})

    stage.step("The vendor has filled in the form: Altinn makes the client, as seed 004 draws it")
    body = {
        "client_name": NAME,
        "Description": "Laget av fullmakt demo virksys",
        "scope": [SCOPE],
        "client_orgno": VENDOR,
        "integration_type": "altinn_virksys",
        "application_type": "web",
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
    }
    return str(stage.send("POST", f"{api}/client", expect=(200, 201), token=altinn, json=body).json()["client_id"])


def _register_key(stage: Stage, client_id: str) -> Credentials:
    signer = LocalSigner.generate()
    client = Credentials(stage.place.issuer, client_id, signer)

    stage.step("It gets no token before it has a key of its own, whoever's certificate signs")
    stage.token(client, SCOPE, expect=400)

    stage.step("The vendor pastes a public key")
    altinn = stage.access_token("demo-digdir-admin", "idporten:dcr.write", "idporten:dcr.supplier")
    url = stage.url("selvbetjening", f"api/v1/clients/{client_id}/jwks")
    stage.send("POST", url, expect=(200, 201), token=altinn, json={"keys": [signer.public_jwk()]})
    return client


def _register_system(stage: Stage, client: Credentials, system: str) -> None:
    stage.step("The vendor registers the system in Altinn's system register, with the client and what it needs")
    token = stage.access_token("demo-vendor-admin", "altinn:authentication/systemregister.write")
    text = dict.fromkeys(("nb", "nn", "en"), NAME)
    body = {
        "id": system,
        "vendor": {"authority": "iso6523-actorid-upis", "ID": f"0192:{VENDOR}"},
        "name": text,
        "description": text,
        "rights": [],
        "accessPackages": [{"urn": PACKAGE}],
        "clientId": [client.client_id],
        "allowedRedirectUrls": [],
        "isVisible": False,
    }
    stage.send("POST", _authentication(stage, "systemregister/vendor"), expect=200, token=token, json=body)


def _ask_in_vain(stage: Stage, client: Credentials) -> None:
    stage.step("Before anybody has approved: no virksomhetstoken, and the refusal says why")
    _refused(stage, client, _virksys(BAKERY))


def _approve(stage: Stage, system: str) -> _Approved:
    stage.step("The vendor asks the accountant for an agent system user")
    scopes = ("altinn:authentication/systemuser.request.write", "altinn:authentication/systemuser.request.read")
    token = stage.access_token("demo-vendor-admin", *scopes)
    body = {"systemId": system, "partyOrgNo": ACCOUNTANT, "accessPackages": [{"urn": PACKAGE}], "redirectUrl": ""}
    requests = _authentication(stage, "systemuser/request")
    asked = stage.send("POST", f"{requests}/vendor/agent", expect=201, token=token, json=body).json()
    stage.say(f"A person would be sent to {asked['confirmUrl']}")

    stage.step("The accountant's managing director approves")
    director = stage.persons_token(ACCOUNTANTS_DIRECTOR, PORTAL, *CLIENTS_SCOPES)
    found = stage.send("GET", stage.url("register", f"api/v1/organizations/{ACCOUNTANT}"), expect=200).json()
    party = str(found["partyId"])
    stage.send("POST", f"{requests}/agent/{party}/{asked['id']}/approve", expect=200, token=director)
    status = stage.send("GET", f"{requests}/vendor/agent/{asked['id']}", expect=200, token=token).json()["status"]
    if status != "Accepted":
        raise DemoFailedError(f"expected the request to be Accepted, and it is {status}")
    return _Approved(str(asked["id"]), director, party)


def _take_a_client(stage: Stage, approved: _Approved) -> None:
    stage.step("The director gives the system user a client: the bakery, whose accountant they are")
    clients = _authentication(stage, "enduser/systemuser/clients")
    agent = {"agent": approved.system_user}
    available = stage.send("GET", f"{clients}/available", expect=200, token=approved.director, params=agent).json()
    bakery = next((one for one in available["data"] if one["clientOrganizationNumber"] == BAKERY), None)
    if bakery is None:
        raise DemoFailedError("expected the bakery among the clients that can be given")
    about = {**agent, "client": bakery["clientId"]}
    stage.send("POST", clients, expect=200, token=approved.director, params=about)


def _virksomhetstoken(stage: Stage, client: Credentials) -> None:
    stage.step("The system asks for a virksomhetstoken for the bakery, as seed 001 draws it")
    token = stage.access_token(client, SCOPE, authorization_details=_virksys(BAKERY))
    stage.show("The token says:", parse_compact(token).unverified_payload)

    stage.step("Skatteetaten's API reads who acts for whom, with which rights, out of the token")
    stage.send("GET", stage.place.systems["virksomhetstoken"], expect=200, token=token)


def _not_passed_on(stage: Stage, client: Credentials) -> None:
    stage.step("The vendor can not let an operator fetch such tokens: consumer_org is refused beside it")
    stage.token(client, SCOPE, expect=400, authorization_details=_virksys(BAKERY), consumer_org=BAKERY)


def _production_form(stage: Stage, client: Credentials) -> None:
    stage.step("The form that went into production: a system user's token, which names the accountant")
    token = stage.access_token(client, SCOPE, authorization_details=_system_user(ACCOUNTANT))
    stage.show("The token says:", parse_compact(token).unverified_payload)
    stage.say("What the system user may do is not in it: the API asks the decision point.")

    stage.step("Exchanged for Altinn's own token")
    stage.send("GET", _authentication(stage, "exchange/maskinporten"), expect=200, token=token)

    stage.step("Named by its client's number instead of the accountant's, there is none, and the refusal says why")
    _refused(stage, client, _system_user(BAKERY))


def _take_back(stage: Stage, client: Credentials, approved: _Approved) -> None:
    stage.step("The accountant takes the client back, then the system user: the next tokens are refused")
    clients = _authentication(stage, "enduser/systemuser/clients")
    agent = {"agent": approved.system_user}
    given = stage.send("GET", clients, expect=200, token=approved.director, params=agent).json()["data"]
    for one in given:
        about = {**agent, "client": one["clientId"]}
        stage.send("DELETE", clients, expect=200, token=approved.director, params=about)
    _refused(stage, client, _virksys(BAKERY))
    path = f"systemuser/agent/{approved.party}/{approved.system_user}"
    about = {"facilitatorId": _party_uuid(stage, ACCOUNTANT)}
    stage.send("DELETE", _authentication(stage, path), expect=202, token=approved.director, params=about)
    _refused(stage, client, _system_user(ACCOUNTANT))


def _tidy(stage: Stage, client_id: str, system: str) -> None:
    stage.step("The vendor removes its system, and Altinn the client")
    token = stage.access_token("demo-vendor-admin", "altinn:authentication/systemregister.write")
    url = _authentication(stage, f"systemregister/vendor/{system}")
    stage.send("DELETE", url, expect=(200, 400), token=token)
    altinn = stage.access_token("demo-digdir-admin", "idporten:dcr.write", "idporten:dcr.supplier")
    url = stage.url("selvbetjening", f"api/v1/clients/{client_id}")
    stage.send("DELETE", url, expect=(200, 204), token=altinn)


def _refused(stage: Stage, client: Credentials, details: list[dict[str, Any]]) -> None:
    answer = stage.token(client, SCOPE, expect=400, authorization_details=details).json()
    if answer.get("error") != "invalid_altinn_customer_configuration":
        raise DemoFailedError(f"expected invalid_altinn_customer_configuration, got {answer.get('error')}")


def _virksys(part: str) -> list[dict[str, Any]]:
    return [{"type": "urn:altinn:virksys", "part": f"0192:{part}"}]


def _system_user(owner: str) -> list[dict[str, Any]]:
    organisation = {"authority": "iso6523-actorid-upis", "ID": f"0192:{owner}"}
    return [{"type": "urn:altinn:systemuser", "systemuser_org": organisation}]


def _authentication(stage: Stage, path: str) -> str:
    return stage.url("authentication", f"api/v1/{path}")


def _party_uuid(stage: Stage, orgno: str) -> str:
    found = stage.send("GET", stage.url("register", f"api/v1/organizations/{orgno}"), expect=200).json()
    return str(found["partyUuid"])
