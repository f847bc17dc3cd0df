"""What the operations are sent, and what they answer (the interface's WSDL). Members stand in the order of its schema,
as generated clients read them so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from fullmakt.altinn.consents.srr import documents
from fullmakt.altinn.consents.srr.documents import BAD_REPORTEE, Fault, InvalidEntryError, service_key
from fullmakt.altinn.consents.srr.model import Draft, Entry, Named, OperationStatus, ServiceKey, Written
from fullmakt.altinn.consents.srr.rules import is_reportee
from fullmakt.altinn.consents.srr.soap.conditions import condition_document_of, condition_text
from fullmakt.altinn.consents.srr.soap.envelope import members_of, text_in
from fullmakt.altinn.consents.srr.soap.faults import FaultError
from fullmakt.altinn.consents.srr.soap.names import ADD, DATA, DELETE, GET, INSTANCE, SERVICE
from fullmakt.altinn.consents.srr.xml import written

_LISTS = {ADD: "insertRightList", DELETE: "deleteRightList"}
_ITEMS = {GET: "GetRight", ADD: "AddRight", DELETE: "DeleteRight"}
_RESULTS = {OperationStatus.UNKNOWN: "Unknown", OperationStatus.OK: "Ok"}
"""Where the WSDL, which generated clients go by, spells a status otherwise than the documentation (§3.2)."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who says that it calls."""

    name: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials(name={self.name!r}, password=<hidden>)"


class Parameters:
    """The parameters of a call, read as they are asked for.

    Raises:
        FaultError: by each of its methods; the message is not the operation's.
        InvalidEntryError: by each but ``credentials``; a value can not be taken.
    """

    def __init__(self, operation: str, called: etree._Element) -> None:
        self._operation = operation
        self._members = members_of(called, SERVICE)

    @property
    def credentials(self) -> Credentials:
        """``systemUserName`` and ``systemPassword``, empty where they are missing."""
        return Credentials(
            text_in(self._members, "systemUserName").strip(), text_in(self._members, "systemPassword").strip()
        )

    @property
    def service(self) -> ServiceKey:
        """Which service edition it is about."""
        code, edition = (text_in(self._members, name) for name in ("serviceCode", "serviceEditionCode"))
        return service_key(code.strip(), edition.strip())

    @property
    def reportee(self) -> str | None:
        """Whose entries are asked for; None for everybody's."""
        number = text_in(self._members, "reportee").strip()
        if number and not is_reportee(number):
            raise InvalidEntryError(Fault(BAD_REPORTEE, "reportee is no organisation number and no person's"))
        return number or None

    @property
    def drafts(self) -> list[Draft]:
        """The entries that are to be added."""
        key = self.service
        named = {"ServiceCode": key.code, "ServiceEditionCode": key.edition}
        return documents.drafts_of([named | _read(place, item) for place, item in enumerate(self._items())])

    @property
    def names(self) -> list[Named]:
        """What the entries are about that are to be removed, whatever is said of their conditions."""
        return documents.names_of([_read(place, item, condition=False) for place, item in enumerate(self._items())])

    @property
    def conditions(self) -> list[str]:
        """The conditions of the items, as they were sent."""
        return [text_in(members_of(item, DATA), "Condition") for item in self._items()]

    def _items(self) -> list[etree._Element]:
        found = self._members.get(_LISTS[self._operation])
        if found is None:
            raise FaultError(f"{_LISTS[self._operation]} is missing")
        return found.findall(f"{{{DATA}}}{_ITEMS[self._operation]}Request")


def _read(place: int, item: etree._Element, *, condition: bool = True) -> documents.Document:
    members = members_of(item, DATA)
    names = ("Reportee", "Right", "ValidTo")
    texts: dict[str, Any] = {name: text_in(members, name).strip() or None for name in names}
    if condition:
        texts["Condition"] = condition_document_of(f"[{place}]", text_in(members, "Condition"))
    return texts


def entries_xml(entries: Iterable[Entry]) -> bytes:
    """The items of an answer to ``GetRightsBasic``."""
    return written([_entry(GET, one) for one in entries])


def added_xml(made: Iterable[Written]) -> bytes:
    """The items of an answer to ``AddRightsBasic``."""
    return written([_entry(ADD, one.item, one.status) for one in made])


def removed_xml(names: Sequence[Named], conditions: Sequence[str], statuses: Sequence[OperationStatus]) -> bytes:
    """The items of an answer to ``DeleteRightsBasic``: those that were sent, each with what became of it."""
    items = zip(names, conditions, statuses, strict=True)
    return written([_item(DELETE, name, condition, None, status) for name, condition, status in items])


def _entry(operation: str, item: Entry | Draft, status: OperationStatus | None = None) -> etree._Element:
    condition = "" if item.condition is None else condition_text(item.condition)
    return _item(operation, item, condition, item.valid_to, status)


def _item(
    operation: str,
    item: Entry | Draft | Named,
    condition: str,
    valid_to: dt.datetime | None,
    status: OperationStatus | None,
) -> etree._Element:
    element = etree.Element(f"{{{DATA}}}{_ITEMS[operation]}Response", nsmap={"a": DATA, "i": INSTANCE})
    _add(element, "Condition", condition or None)
    _add(element, "Reportee", item.reportee)
    _add(element, "Right", str(item.right))
    if valid_to is not None:
        _add(element, "ValidTo", _time(valid_to))
    if status is not None:
        _add(element, "OperationResult", _RESULTS.get(status, str(status)))
    return element


def _add(element: etree._Element, name: str, value: str | None) -> None:
    child = etree.SubElement(element, f"{{{DATA}}}{name}")
    if value is None:
        child.set(f"{{{INSTANCE}}}nil", "true")
    child.text = value


def _time(at: dt.datetime) -> str:
    """``yyyy-MM-ddThh:mm:ss`` (§3.2), in UTC, as it is read where no zone is said."""
    return at.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="seconds")
