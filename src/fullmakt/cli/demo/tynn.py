"""Seed 001's thin token: an ordinary token, and an API that asks Altinn what the system may do.

Who plays: Turboskatt, the vendor's enterprise system, which Øvre Toten Regnskapstjenester uses for its client the
bakery, and Demo Bank for itself, as the demo world has it; and Skatteetaten's API. Nothing is changed.
"""

from __future__ import annotations

from fullmakt.cli.demo.stage import DemoFailedError, Stage
from fullmakt.jose.compact import parse_compact
from fullmakt.wire.altinn.attributes import ACTION, ENTERPRISE_SYSTEM, ORGANISATION
from fullmakt.wire.altinn.attributes import RESOURCE as RESOURCE_ID

SYSTEM = "demo-turboskatt"
SCOPE = "skatteetaten:mva"
RESOURCE = "skd-mva"
BAKERY, BANK, STRANGER = "999888777", "910753614", "312468018"


def play(stage: Stage) -> None:
    """Play it from beginning to end.

    Raises:
        DemoFailedError: a step did not come out as the story has it.
    """
    stage.step("The system asks for an ordinary token: nothing in it says whom it acts for")
    token = stage.access_token(SYSTEM, SCOPE)
    stage.show("The token says:", parse_compact(token).unverified_payload)

    stage.step("It asks Skatteetaten's API for the bakery's returns; the API asks the decision point, and it permits")
    _call(stage, token, BAKERY, 200)

    stage.step("The same token serves for the bank, which uses the system itself")
    _call(stage, token, BANK, 200)

    stage.step("For an organisation that has not let the system, the decision point does not permit, nor does the API")
    if _call(stage, token, STRANGER, 403)["why"] != "no_right":
        raise DemoFailedError("expected the refusal to be for want of a right")

    stage.step("The question that the API asks: may the system with this client read the bakery's returns?")
    asker = stage.access_token("demo-skatt-admin", "altinn:authorization/authorize")
    question = _question(parse_compact(token).unverified_payload["client_id"])
    url = stage.url("authorization", "api/v1/authorize")
    answer = stage.send("POST", url, expect=200, token=asker, json=question).json()
    if answer["response"][0]["decision"] != "Permit":
        raise DemoFailedError("expected the decision point to permit")
    stage.done("One token served for every customer of the system, and the API decided each time.")


def _call(stage: Stage, token: str, part: str, expect: int) -> dict[str, str]:
    url = stage.place.systems["tynn"]
    found: dict[str, str] = stage.send("GET", url, expect=expect, token=token, params={"part": part}).json()
    return found


def _question(client_id: str) -> dict[str, object]:
    def category(*attributes: tuple[str, str]) -> list[dict[str, object]]:
        return [{"Attribute": [{"AttributeId": key, "Value": value} for key, value in attributes]}]

    return {
        "Request": {
            "AccessSubject": category((ENTERPRISE_SYSTEM, client_id)),
            "Action": category((ACTION, "read")),
            "Resource": category((RESOURCE_ID, RESOURCE), (ORGANISATION, BAKERY)),
        }
    }
