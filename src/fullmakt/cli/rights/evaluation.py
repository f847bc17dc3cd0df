"""Tells how a decision was made: the evaluation as a JSON document, and for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from rich.console import Console
from rich.text import Text

from fullmakt.cli.rights.naming import Names, key_of
from fullmakt.cli.rights.reasons import Meaning, meaning_of
from fullmakt.cli.terminal import printable, prose

Document = dict[str, Any]

_MARKS = {"Permit": ("✓ ", "green"), "Indeterminate": ("? ", "yellow")}
_REFUSED = ("✗ ", "red")
_MANY = 12
"""Values, and things to compare, that people are shown of a list; ``--json`` has all."""


def as_json(value: Any) -> Any:
    """``value`` as JSON has it: enumerations by value, tuples as lists, and UUIDs and the like in words."""
    match value:
        case Enum():
            return as_json(value.value)
        case Mapping():
            return {str(name): as_json(one) for name, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [as_json(one) for one in value]
        case None | bool() | int() | float() | str():
            return value
    return str(value)


def told(explanation: Mapping[str, Any]) -> Document:
    """An explanation of the decision point's as JSON, with its reason in words."""
    document: Document = as_json(explanation)
    meaning = meaning_of("decisions", document["reason"]) or Meaning(document["reason"])
    return {"decision": document.pop("decision"), "reason": document.pop("reason"), **meaning.document(), **document}


def print_evaluation(out: Console, document: Mapping[str, Any], names: Names) -> None:
    """The whole of it; the sections that have nothing in them are left out."""
    mark, colour = _MARKS.get(document["decision"], _REFUSED)
    out.print(Text(mark, colour), Text(document["decision"], "bold"), Text(f"  {document['reason']}", "dim"), sep="")
    out.print(Text("  "), prose(document["words"]), sep="")
    for detail in _details(document):
        out.print(Text(f"  {printable(detail)}"))
    if document["remedy"]:
        out.print(Text("  → ", "green"), prose(document["remedy"]), sep="")
    for title, lines in _sections(document, names):
        if lines:
            out.print()
            out.print(Text(title, "bold"))
            for line in lines:
                out.print(line)


def _details(document: Mapping[str, Any]) -> Iterator[str]:
    """What the decision point adds to its reason, if that is anything more."""
    for name in ("message", "fault"):
        detail = str(document["facts"].get(name) or "")
        if detail and detail.casefold() != document["words"].rstrip(".").casefold():
            yield detail


def _sections(document: Mapping[str, Any], names: Names) -> Iterator[tuple[str, list[Text]]]:
    yield "Asked", _asked(document["asked"], document["facts"], names)
    if "rules" not in document:  # it made no sense, so that nothing was compared
        return
    rules = document["rules"]
    yield "Rules for this resource and action", [line for rule in rules for line in _rule(rule)]
    yield "Held in the party by the register", _held(document["held"], rules)
    yield "Access packages that a rule asks for", [_package(one, names) for one in document["packages"]]
    subject = key_of(document["facts"].get("subject") or "")
    yield "Delegations", [line for one in document["delegations"] for line in _delegation(one, subject, names)]
    yield "Access lists", _access_list(document["access_list"])
    yield "Obligations", [_line(_obligation(one)) for one in document["obligations"]]


def _asked(asked: Mapping[str, Any], facts: Mapping[str, Any], names: Names) -> list[Text]:
    """The question, in the names that the register has for those in it."""
    subject = ", ".join(f"{one['id']} = {one['value']}" for one in asked["subject"])
    rows = [
        ("subject", names.label(facts["subject"]) if facts.get("subject") else subject),
        ("action", asked["action"]),
        ("resource", asked["resource"]),
        ("party", names.label(asked["party"]) if asked["party"] else None),
        ("policy", facts.get("policy")),
    ]
    return [_line(f"{name:<9} {printable(value)}") for name, value in rows if value]


def _rule(rule: Mapping[str, Any]) -> Iterator[Text]:
    applies = rule["outcome"] != "NotApplicable"
    effect = "" if rule["outcome"] == rule["effect"] else f", had it applied: {rule['effect']}"
    yield _marked(applies, f"{printable(rule['rule_id'])}  {rule['outcome']}{effect}")
    alternatives: Sequence[Sequence[Mapping[str, Any]]] = rule["alternatives"]
    if not alternatives:
        yield _line("asks nothing of the subject", 4)
    for all_of in alternatives[:_MANY]:
        met = all(one["result"] == "yes" for one in all_of)
        yield _marked(met, " and ".join(f"{one['attribute']} = {one['wanted']}" for one in all_of), 4)
    if len(alternatives) > _MANY:
        yield _line(f"… and {len(alternatives) - _MANY} more", 4)
    for attribute, had in _had(alternatives).items():
        yield _line(f"{attribute} of the subject: {_some(had) or 'none'}", 4, "dim")
    if rule["conditional"]:
        yield _line("and it has a condition", 4, "dim")


def _had(alternatives: Iterable[Iterable[Mapping[str, Any]]]) -> dict[str, list[str]]:
    """What the request had of each attribute that no alternative was met by."""
    unmet: dict[str, list[str]] = {}
    for all_of in alternatives:
        for one in all_of:
            if one["result"] == "yes":
                return {}
            unmet.setdefault(one["attribute"], one["had"])
    return unmet


def _held(held: Mapping[str, str], rules: Iterable[Mapping[str, Any]]) -> list[Text]:
    """Those that a rule asks for, by name; the others by number."""
    wanted = {
        f"{one['attribute']}:{one['wanted']}".lower()
        for rule in rules
        for all_of in rule["alternatives"]
        for one in all_of
    }
    asked_for = {urn: role for urn, role in held.items() if urn.lower() in wanted}
    lines = [_marked(True, f"{urn}{f'  by the role {role}' if role else ''}") for urn, role in asked_for.items()]
    more = len(held) - len(asked_for)
    others = "roles and packages that no rule here asks for"
    return [*lines, _line(f"{more} {'more ' if lines else ''}{others}", 2, "dim")] if more else lines


def _package(one: Mapping[str, Any], names: Names) -> Text:
    how = "given by the party" if one["given"] else "held by the register, and the subject's by a key role"
    return _marked(True, f"{one['package']}: {names.label(one['holder'])}, {how}")


def _delegation(one: Mapping[str, Any], subject: str | None, names: Names) -> Iterator[Text]:
    instance = f" on {one['instance']}" if one["instance"] else ""
    actions = ", ".join(one["actions"])
    yield _marked(one["counts"], f"{names.label(one['from'])} → {names.label(one['to'])}: {actions}{instance}")
    by_role = f", and the subject acts for {names.label(one['to'])} by a key role"
    yield _line(f"{one['why']}{by_role if one['counts'] and _is_another(one['to'], subject, names) else ''}", 4)
    yield _line(f"delegation {one['id']}", 4, "dim")
    if len(one.get("chain", ())) > 1:
        yield _line(f"passed on: {chain_of(one['chain'], names)}", 4)


def _is_another(receiver: str, subject: str | None, names: Names) -> bool:
    return subject is not None and names.label(receiver) != names.label(subject)


def chain_of(chain: Sequence[Mapping[str, str]], names: Names) -> str:
    """From whom to whom a right has gone, the one whose right it is first."""
    return " → ".join([names.label(chain[-1]["from"]), *(names.label(link["to"]) for link in reversed(chain))])


def _access_list(gate: Mapping[str, Any] | None) -> list[Text]:
    if gate is None:
        return []
    lists = ", ".join(gate.get("access_lists", ()))
    if gate["open"]:
        return [_marked(True, f"the party is on {lists}")]
    meaning = meaning_of("decisions", gate["reason"]) or Meaning(gate["reason"])
    return [_marked(False, meaning.words + (f" ({lists})" if lists else ""))]


def _obligation(obligation: Mapping[str, Any]) -> str:
    values = ", ".join(f"{one['category'] or one['attribute']} = {one['value']}" for one in obligation["values"])
    return f"{obligation['id']}: {values}" if values else str(obligation["id"])


def _some(values: Sequence[str]) -> str:
    more = f" … and {len(values) - _MANY} more" if len(values) > _MANY else ""
    return ", ".join(values[:_MANY]) + more


def _marked(good: bool, text: str, indent: int = 2) -> Text:
    mark, colour = ("✓ ", "green") if good else ("· ", "dim")
    return Text(" " * indent).append(mark, colour).append(printable(text))


def _line(text: str, indent: int = 2, style: str = "") -> Text:
    return Text(" " * indent).append(printable(text), style)
