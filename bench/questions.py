"""Questions to the decision point: a third each of what a role permits, a delegation permits, and nothing does."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bench.grants import Choice
from bench.rights import ACTION, SLOTS, Rights, organisation_orgno, people, resource, supplier_orgno
from fullmakt.wire.altinn import attributes as ids

KINDS = ("rule", "delegation", "no_right")
"""The reasons of the answers, in the order in which the questions come."""


@dataclass
class Questions:
    """Questions about organisations and resources that are chosen; each is the body of a request."""

    rights: Rights
    organisations: Choice
    resources: Choice
    _people: list[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._people = people(self.rights.organisations)

    def bodies(self, count: int) -> Iterator[bytes]:
        """So many questions, the kinds of them in turn."""
        chosen = zip(self.organisations(count), self.resources(count), strict=True)
        for number, (organisation, about) in enumerate(chosen):
            subject, name = self._subject(KINDS[number % len(KINDS)], organisation, resource(about))
            yield json.dumps(_document(subject, name, organisation_orgno(organisation))).encode()

    def _subject(self, kind: str, organisation: int, name: str) -> tuple[tuple[str, str], str]:
        """Who asks, and about which resource."""
        if kind == "rule":
            return (ids.PERSON, self._people[organisation]), name
        if kind == "no_right":
            return (ids.PERSON, self._people[(organisation + 1) % len(self._people)]), name
        slot = random.randrange(SLOTS)
        supplier = supplier_orgno(self.rights.supplier(organisation, slot))
        return (ids.ORGANISATION, supplier), self.rights.resource(organisation, slot)


def _document(subject: tuple[str, str], name: str, orgno: str) -> Mapping[str, object]:
    """The request, as an API's owner sends it."""
    return {
        "Request": {
            "AccessSubject": [{"Attribute": [_attribute(*subject)]}],
            "Action": [{"Attribute": [_attribute(ids.ACTION, ACTION)]}],
            "Resource": [{"Attribute": [_attribute(ids.RESOURCE, name), _attribute(ids.ORGANISATION, orgno)]}],
        }
    }


def _attribute(name: str, value: str) -> Mapping[str, object]:
    return {"AttributeId": name, "Value": value, "DataType": "http://www.w3.org/2001/XMLSchema#string"}
