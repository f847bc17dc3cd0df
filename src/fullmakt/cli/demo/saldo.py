"""What the demos about consent share: who plays, and each thing that is done with a consent (seeds 002 and 003).

Who plays: Lånekassen owns the API and the consent service 5498_1, Demo Bank asks for consents, Demo Leverandør is its
supplier, and Jonas Låntaker has a loan. He answers by the API that the page of a request stands on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from fullmakt.cli.demo.stage import DemoFailedError, Stage
from fullmakt.client import Credentials
from fullmakt.jose.compact import parse_compact
from fullmakt.kernel.clock import new_uuid, system_clock

LANEKASSEN, BANK, VENDOR = "313579247", "910753614", "312044005"
BORROWER, BORROWERS_SURNAME = "30918899991", "Låntaker"
SCOPE = "lanekassen:lan/v1/saldoopplysninger"
CODE, EDITION = "5498", 1
RESOURCE = f"lanekassen_{CODE}_{EDITION}"
READ, WRITE, TOKENS = "altinn:consentrequests.read", "altinn:consentrequests.write", "altinn:consenttokens"
PORTAL = "altinn:portal/enduser"
BACK = "https://www.bank.example/samtykke/retur"
_METADATA = {"Navn": "Demo Bank"}
_LASTS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Asker:
    """Whoever asks for consents and fetches balances: its clients, and whom it does it for.

    ``altinn_key`` and ``source_key`` are its own API keys, at Altinn and at Lånekassen.
    """

    consents: str | Credentials
    balances: str | Credentials
    altinn_key: str
    source_key: str
    consumer: str | None = None

    @property
    def for_whom(self) -> Mapping[str, str]:
        """What goes into a grant: a supplier names its consumer."""
        return {} if self.consumer is None else {"consumer_org": self.consumer}


def altinn_key(stage: Stage, name: str) -> str:
    """An API key of Altinn 2, which Altinn sends by hand: here it lies in the state folder."""
    return _secret(stage, f"api-keys/{name}")


def source_key(stage: Stage, organisation: str) -> str:
    """Lånekassen's own API key."""
    return _secret(stage, f"lanekassen/{organisation}.key")


def altinn2(stage: Stage, path: str) -> str:
    """A path of Altinn 2's."""
    return stage.url("altinn2", path)


def request_altinn2(stage: Stage, asker: Asker, *, expect: int | tuple[int, ...] = 200) -> dict[str, Any]:
    """Ask the borrower, in Altinn 2's form (consent.md §2.2); the answer, whatever it is."""
    token = stage.access_token(asker.consents, WRITE, **asker.for_whom)
    handled_by = {} if asker.consumer is None else {"HandledBy": VENDOR}
    body = {
        "CoveredBy": BANK,
        "OfferedBy": BORROWER,
        "OfferedByName": BORROWERS_SURNAME,
        **handled_by,
        "RequiredDelegator": BORROWER,
        "RequiredDelegatorName": BORROWERS_SURNAME,
        "ValidTo": (system_clock() + _LASTS).isoformat(),
        "RedirectUrl": BACK,
        "RequestResources": [{"ServiceCode": CODE, "ServiceEditionCode": EDITION, "Metadata": _METADATA}],
        "RequestMessage": {},
    }
    headers = {"ApiKey": asker.altinn_key, "Accept": "application/hal+json"}
    url = altinn2(stage, "api/consentRequests")
    answer = stage.send("POST", url, expect=expect, token=token, headers=headers, json=body).json()
    return answer if isinstance(answer, dict) else {"errors": answer}


def request_altinn3(stage: Stage, asker: Asker) -> dict[str, Any]:
    """Ask the borrower, in Altinn 3's form (consent.md §4.4)."""
    token = stage.access_token(asker.consents, WRITE, **asker.for_whom)
    right = {
        "action": ["consent"],
        "resource": [{"type": "urn:altinn:resource", "value": RESOURCE}],
        "metadata": {name.lower(): value for name, value in _METADATA.items()},
    }
    body = {
        "id": new_uuid(),
        "from": f"urn:altinn:person:identifier-no:{BORROWER}",
        "to": f"urn:altinn:organization:identifier-no:{BANK}",
        "requiredDelegator": f"urn:altinn:person:identifier-no:{BORROWER}",
        "validTo": (system_clock() + _LASTS).isoformat(),
        "consentRights": [right],
        "redirectUrl": BACK,
    }
    url = stage.url("accessmanagement", "api/v1/enterprise/consentrequests")
    made: dict[str, Any] = stage.send("POST", url, expect=201, token=token, json=body).json()
    return made


def accept(stage: Stage, consent_id: str, page: str) -> None:
    """The borrower says yes."""
    stage.say(f"The bank sends him to {page}")
    url = _of_borrower(stage, f"consentrequests/{consent_id}/accept")
    stage.send("POST", url, expect=200, token=_borrower(stage), json={"language": "nb"})


def revoke(stage: Stage, consent_id: str) -> None:
    """The borrower takes back what he gave."""
    stage.send("POST", _of_borrower(stage, f"consents/{consent_id}/revoke"), expect=200, token=_borrower(stage))


def consent_token(stage: Stage, asker: Asker, code: str) -> str:
    """The consent token, out of the quotes that Altinn puts it in."""
    answer = draw(stage, asker, code, expect=200)
    token = str(answer)
    stage.show("The consent token, which lives for 30 seconds, says:", parse_compact(token).unverified_payload)
    return token


def draw(stage: Stage, asker: Asker, code: str, *, expect: int) -> Any:
    """Exchange the authorization code (consent.md §2.8); the text of the answer, or what its JSON holds."""
    token = stage.access_token(asker.consents, TOKENS, **asker.for_whom)
    headers = {"ApiKey": asker.altinn_key, "Accept": "application/json"}
    url = altinn2(stage, f"api/authorization/token/{code}")
    answer = stage.send("GET", url, expect=expect, token=token, headers=headers)
    return answer.json() if answer.is_success else answer.text


def consent_details(consent_id: str) -> list[dict[str, Any]]:
    """What a grant asks for, to have the consent in the token (consent.md §4.10)."""
    who = f"urn:altinn:person:identifier-no:{BORROWER}"
    return [{"type": "urn:altinn:consent", "id": consent_id, "from": who}]


def balance(
    stage: Stage, asker: Asker, token: str, *, consent: str | None = None, expect: int | tuple[int, ...] = 200
) -> dict[str, Any] | None:
    """Fetch the balance, as Lånekassen wants to be asked (lanekassen-saldo.md §2); None where it is refused.

    The Maskinporten token stands alone in ``Authorization``, without the word ``Bearer``.
    """
    headers = {
        "ApiKey": asker.source_key,
        "Authorization": token,
        "PSU_ID": BORROWER,
        "X-Request-Id": new_uuid(),
        **({} if consent is None else {"Consent-ID": consent}),
    }
    answer = stage.send("GET", stage.url("lanekassen", "saldo/v1/Accounts"), expect=expect, headers=headers)
    if not answer.is_success:
        return None
    document: dict[str, Any] = answer.json()
    if not document["Accounts"]:
        raise DemoFailedError("expected the borrower to owe something")
    return document


def _secret(stage: Stage, path: str) -> str:
    try:
        return (stage.place.state / path).read_text(encoding="ascii").strip()
    except OSError as error:
        raise DemoFailedError(
            f"{path} is not in the state folder: `fullmakt up` makes it with the demo world"
        ) from error


def _borrower(stage: Stage) -> str:
    return stage.persons_token(BORROWER, PORTAL)


def _of_borrower(stage: Stage, path: str) -> str:
    return stage.url("accessmanagement", f"api/v1/bff/{path}")


def code_of(answer: Mapping[str, Any]) -> str:
    """The authorization code of a request that was made."""
    code = str(answer.get("AuthorizationCode", ""))
    try:
        return str(UUID(code))
    except ValueError:
        raise DemoFailedError(f"expected an authorization code, got {code or 'none'}") from None
