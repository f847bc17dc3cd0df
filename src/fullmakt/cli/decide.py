"""``fullmakt decide``: ask the decision point, and see the whole evaluation."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.text import Text

from fullmakt.cli.rights.asking import ACTOR, Asking, ask
from fullmakt.cli.rights.evaluation import print_evaluation, told
from fullmakt.cli.rights.naming import Names, names_in, plain, subject_attribute
from fullmakt.cli.terminal import console
from fullmakt.infra.telemetry import redact
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.xacml_json import DecisionRequest, Part, RequestAttribute, RequestCategory


def decide(
    subject: Annotated[
        list[str],
        typer.Option(
            "--subject",
            help="Who asks: an organisation number, a national identity number, systemuser:<uuid>, "
            "client:<client id> for the system that shows a thin token, or urn:<attribute>=<value>. "
            "May be given several times.",
        ),
    ],
    action: Annotated[str, typer.Option("--action", help="What they want to do, such as read.")],
    resource: Annotated[str, typer.Option("--resource", help="The resource's identifier in the registry.")],
    party: Annotated[
        str | None, typer.Option("--for", metavar="PARTY", help="On whose behalf; nobody's in particular without it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Ask whether somebody may do something, and see why: rules, roles, delegations, access lists.

    Ends with exit code 0 for Permit, 1 for any other decision, and 2 when the question can not be asked.
    """

    async def question(asking: Asking) -> tuple[dict[str, Any], Names]:
        part = await _part(asking, subject, action, resource, party)
        (explanation,) = await asking.world.decisions.explain(DecisionRequest(part), actor=ACTOR)
        document = {**told(explanation), "asked": _asked(part), "trace_id": asking.trace_id}
        return document, await names_in(asking.world.parties, document)

    document, names = ask(question)
    if as_json:
        print(json.dumps({**document, "parties": names.document()}, indent=2, ensure_ascii=False))
    else:
        out = console()
        print_evaluation(out, document, names)
        out.print(Text(f"\nfullmakt explain {document['trace_id']}", "dim"))
    if document["decision"] != "Permit":
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Put the command on the list."""
    app.command()(decide)


async def _part(asking: Asking, subjects: list[str], action: str, resource: str, party: str | None) -> Part:
    named = [Attribute(ids.RESOURCE, plain("resource", resource))]
    if party is not None:
        named.append(Attribute(ids.PARTY_UUID, str((await asking.party(party)).party_uuid)))
    return (
        _category(ids.SUBJECT_CATEGORY, [subject_attribute(one) for one in subjects]),
        _category(ids.ACTION_CATEGORY, [Attribute(ids.ACTION, plain("action", action))]),
        _category(ids.RESOURCE_CATEGORY, named),
    )


def _asked(part: Part) -> dict[str, Any]:
    """The question as JSON, without anybody's national identity number."""
    subject, action, resource = (category.attributes for category in part)
    return {
        "subject": [{"id": one.id, "value": "***" if one.id == ids.PERSON else redact(one.value)} for one in subject],
        "action": action[0].value,
        "resource": resource[0].value,
        "party": resource[1].value if len(resource) > 1 else None,
    }


def _category(category: str, attributes: list[Attribute]) -> RequestCategory:
    return RequestCategory(category, tuple([RequestAttribute(one.id, one.value) for one in attributes]))
