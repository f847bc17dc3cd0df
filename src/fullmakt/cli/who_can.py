"""``fullmakt who-can``: everybody who may do something on somebody's behalf, and by what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from fullmakt.altinn.decisions.searching import Able
from fullmakt.cli.rights.asking import ACTOR, Asking, ask
from fullmakt.cli.rights.evaluation import as_json as plain_json
from fullmakt.cli.rights.evaluation import chain_of
from fullmakt.cli.rights.grounds import Policy, policy_of
from fullmakt.cli.rights.naming import MisnamedError, Names, label_of, names_in, number_of, plain
from fullmakt.cli.rights.reasons import Meaning, meaning_of
from fullmakt.cli.terminal import console, printable, prose
from fullmakt.wire.altinn.attributes import ACCESS_PACKAGE, Attribute
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity
from fullmakt.wire.altinn.resources import RegisteredResource


@dataclass(frozen=True, slots=True)
class Answer:
    """Who may, as JSON; ``advice`` is for when nobody may. ``complete`` is false when not all were looked at."""

    party: PartyIdentity
    able: list[dict[str, Any]]
    complete: bool
    names: Names
    advice: list[str]
    trace_id: str


def who_can(
    action: Annotated[str, typer.Argument(help="What is to be done, such as read.")],
    resource: Annotated[str, typer.Argument(help="The resource's identifier in the registry.")],
    party: Annotated[
        str, typer.Option("--for", metavar="PARTY", help="On whose behalf: organisation number or national id.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List everybody who may do something on somebody's behalf, and by which role, package or delegation.

    Ends with exit code 0 when there is somebody, 1 when nobody may, and 2 when the question can not be asked.
    """

    async def question(asking: Asking) -> Answer:
        return await _answer(asking, plain("action", action), resource, party)

    answer = ask(question)
    if as_json:
        print(json.dumps(_document(answer, action, resource), indent=2, ensure_ascii=False))
    else:
        _print(answer, action, resource)
    if not answer.able:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Put the command on the list."""
    app.command("who-can")(who_can)


async def _answer(asking: Asking, action: str, identifier: str, number: str) -> Answer:
    resource = await asking.resource(identifier)
    policy = policy_of(resource)
    if policy.fault:
        meaning = meaning_of("decisions", policy.fault) or Meaning(policy.fault)
        raise MisnamedError(f"{identifier}: {meaning.words}")
    if not policy.knows(action):
        known = ", ".join(policy.actions) or "no action"
        raise MisnamedError(f"the policy of {identifier} has no rule for `{action}`; it knows {known}")
    party = await asking.party(number)
    found = await asking.world.decisions.who_can(action, identifier, party.party_uuid, actor=ACTOR)
    able = [await _able(asking, one, party, policy) for one in found.able]
    advice = [] if able else await _advice(asking, action, resource, party, policy)
    return Answer(party, able, found.complete, await names_in(asking.world.parties, able), advice, asking.trace_id)


async def _able(asking: Asking, one: Able, party: PartyIdentity, policy: Policy) -> dict[str, Any]:
    held = HeldRights()
    if one.party is not None:
        held = await asking.world.decisions.held(one.party.party_uuid, party.party_uuid)
    facts = plain_json(one.decision.facts)
    rules = facts.get("rules", [])
    grounds = [ground for ground in policy.subjects_of(rules) if ground in one.roles or ground == one.who]
    return {
        "subject": {"id": one.who.id, "value": one.who.value},
        "name": one.party.name if one.party is not None else None,
        "number": number_of(one.party) if one.party is not None else one.who.value,
        "reason": str(one.decision.reason),
        "by": [_ground(ground, held) for ground in grounds],
        "rules": rules,
        "chain": facts.get("chain", []),
        "access_lists": facts.get("access_lists", []),
    }


def _ground(ground: Attribute, held: HeldRights) -> dict[str, Any]:
    """``role`` is the register's role that gives it; ``given`` says that the party gave it."""
    given = ground.id == ACCESS_PACKAGE and ground not in held.packages
    return {"attribute": ground.urn, "role": dict(held.via).get(ground, ""), "given": given}


async def _advice(
    asking: Asking, action: str, resource: RegisteredResource, party: PartyIdentity, policy: Policy
) -> list[str]:
    """What to do so that somebody may."""
    if resource.access_list_enabled:
        lists = await asking.world.rights.access_lists.memberships(party.party_uuid, resource.identifier)
        if not any(one.actions is None or action in one.actions for one in lists):
            meaning = meaning_of("decisions", "access_list_lacks_action" if lists else "not_on_access_list")
            return [meaning.words, meaning.remedy] if meaning else []
    asked_for = ", ".join(sorted({ground.urn for ground in policy.subjects_for(action)})) or "nobody by name"
    why = f"The policy gives it to {asked_for}; nobody in the register has that for {label_of(party)}"
    return [f"{why}, which has delegated it to nobody either.", _REMEDY]


_REMEDY = (
    "Register a role, or declare a right of the party's, in a file for `fullmakt world apply`; `fullmakt decide` shows "
    "how it goes for one whom you thought of."
)


def _document(answer: Answer, action: str, resource: str) -> dict[str, Any]:
    party = {"name": answer.party.name, "number": number_of(answer.party), "uuid": str(answer.party.party_uuid)}
    return {
        "action": action,
        "resource": resource,
        "party": party,
        "able": answer.able,
        "complete": answer.complete,
        "advice": answer.advice,
        "parties": answer.names.document(),
        "trace_id": answer.trace_id,
    }


def _print(answer: Answer, action: str, resource: str) -> None:
    question = f"{printable(action)} {printable(resource)} for {label_of(answer.party)}"
    out = console()
    if not answer.complete:
        out.print(Text("Not all who have to do with the party were looked at: there are very many.", "yellow"))
    if not answer.able:
        out.print(Text("✗ ", "red"), Text(f"Nobody may {question}"), sep="")
        for mark, line in zip(("  ", "  → "), answer.advice, strict=False):
            out.print(Text(mark, "green"), prose(line), sep="")
        return
    table = Table(title=f"Who may {escape(question)}", title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.add_column("who", overflow="fold")
    table.add_column("number", no_wrap=True)
    table.add_column("by what", overflow="fold")
    for one in answer.able:
        name = one["name"] or "a system user"
        table.add_row(*(escape(printable(text)) for text in (name, one["number"], _by(one, answer.names))))
    Console(highlight=False, emoji=False).print(table)
    if any(len(one["number"]) == 9 for one in answer.able):
        out.print(Text("Who acts for one of the organisations by a key role may do what it may.", "dim"))


def _by(one: Mapping[str, Any], names: Names) -> str:
    if one["chain"]:
        return f"delegation: {chain_of(one['chain'], names)}"
    grounds = [f"{each['attribute']}{_via(each)}" for each in one["by"]]
    return ", ".join(grounds) or f"rule {', '.join(one['rules'])}"


def _via(ground: Mapping[str, Any]) -> str:
    if ground["given"]:
        return " (given by the party)"
    role = ground["role"]
    return f" (by the role {role})" if role and not ground["attribute"].endswith(f":{role}") else ""
