"""Records of Altinn 2's export are read whole, or refused with the member that can not be read (consent.md §4.17)."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.altinn.consents.export_records import Record, UnreadableRecordError, read_record
from fullmakt.altinn.consents.model import EventType
from fullmakt.altinn.consents.srr.model import ServiceKey
from fullmakt.wire.altinn.attributes import ORGANISATION, PARTY_UUID, Attribute

ID = "A8F76256-49A5-4CEC-94F5-958EA92393CA"
GIVER, RECEIVER = "EC7D881B-5EAF-438B-9F02-8C1BA930A086", "871CEC0E-ED22-438D-A724-6BBE7E254DFF"


def record(**changes: Any) -> dict[str, Any]:
    """A record as it is published, ids and texts our own; ``changes`` replace members."""
    return {
        "AuthorizationRequestId": ID,
        "From": GIVER,
        "To": RECEIVER,
        "requiredDelegator": None,
        "CreatedBy": RECEIVER,
        "HandledBy": None,
        "Created": "2025-05-26 07:44:06.950",
        "ValidTo": "2025-11-22 05:44:06.757",
        "RequestMessage": {"nb": "Hei", "en": "Hi"},
        "RequestResources": [
            {
                "ServiceCode": 5498,
                "ServiceEditionCode": 1,
                "Metadata": {"Navn": "Banken"},
                "Read": True,
                "Access": False,
            }
        ],
        "ConsentEvents": [
            {
                "DelegatedDateTime": "2025-05-26 07:44:06.950",
                "ConsentEventType": "Delegate",
                "EventLanguage": 1044,
                "ConsentTemplate": "default_nomessage",
            }
        ],
        **changes,
    }


def event(kind: object, at: str = "2025-05-26 07:44:06.950", **more: Any) -> dict[str, Any]:
    return {"DelegatedDateTime": at, "ConsentEventType": kind, "EventLanguage": 1044, "ConsentTemplate": "", **more}


def test_a_record_as_it_is_published_is_read() -> None:
    read = read_record(record())
    assert read.id == UUID(ID)
    assert read.giver == Attribute(PARTY_UUID, GIVER.lower())
    assert read.receiver == read.created_by == Attribute(PARTY_UUID, RECEIVER.lower())
    assert read.handled_by is read.required_delegator is None
    assert read.created == dt.datetime(2025, 5, 26, 7, 44, 6, 950_000, tzinfo=dt.UTC)
    assert read.valid_to == dt.datetime(2025, 11, 22, 5, 44, 6, 757_000, tzinfo=dt.UTC)
    assert read.message == {"nb": "Hei", "en": "Hi"}
    assert read.services == ((ServiceKey("5498", 1), {"Navn": "Banken"}),)
    (given_,) = read.events
    assert (given_.type, given_.language, given_.template) == (EventType.ACCEPTED, "nb", "default_nomessage")


def test_the_published_misspelling_any_case_and_urns_will_do() -> None:
    raw = record(To="urn:altinn:organization:identifier-no:910753614")
    raw["RequestResorces"] = raw.pop("RequestResources")
    read = read_record({name.upper(): value for name, value in raw.items()})
    assert read.services == read_record(record()).services
    assert read.receiver == Attribute(ORGANISATION, "910753614")


def test_events_are_put_in_their_order_with_the_language_they_were_in() -> None:
    events = [event("Deleted", "2025-07-01T10:00:00+02:00"), event("delegate", EventLanguage=2068), event("Used")]
    read = read_record(record(ConsentEvents=events)).events
    assert [one.type for one in read] == [EventType.ACCEPTED, EventType.USED, EventType.REVOKED]
    assert [one.language for one in read] == ["nn", "nb", "nb"]
    assert read[2].at == dt.datetime(2025, 7, 1, 8, tzinfo=dt.UTC)


RESOURCE = {"ServiceCode": "5498", "ServiceEditionCode": 1}


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"AuthorizationRequestId": "one"}, "AuthorizationRequestId"),
        ({"AuthorizationRequestId": 1}, "AuthorizationRequestId"),
        ({"From": None}, "From"),
        ({"From": "urn:altinn:person:identifier-no:1"}, "From"),
        ({"To": {"uuid": RECEIVER}}, "To"),
        ({"HandledBy": "x"}, "HandledBy"),
        ({"Created": "yesterday"}, "Created"),
        ({"Created": 1}, "Created"),
        ({"ValidTo": "0001-01-01 00:00:00"}, "ValidTo"),
        ({"ValidTo": "9999-12-31T23:59:59-10:00"}, "ValidTo"),
        ({"RequestMessage": "Hei"}, "RequestMessage"),
        ({"RequestMessage": {"nb": "x" * 5_001}}, "RequestMessage"),
        ({"RequestResources": []}, "RequestResources"),
        ({"RequestResources": None}, "RequestResources"),
        ({"RequestResources": [RESOURCE] * 51}, "RequestResources"),
        ({"RequestResources": [{"ServiceCode": "5498"}]}, "RequestResources[0]"),
        ({"RequestResources": [{**RESOURCE, "ServiceCode": True}]}, "RequestResources[0]"),
        ({"RequestResources": [{**RESOURCE, "Metadata": []}, 1]}, "RequestResources[1]"),
        ({"RequestResources": [{**RESOURCE, "Metadata": ["Navn"]}]}, "RequestResources[0].Metadata"),
        ({"RequestResources": [{**RESOURCE, "Metadata": {"Navn": {}}}]}, "RequestResources[0].Metadata"),
        ({"RequestResources": [{**RESOURCE, "Metadata": {"Navn": "\x00"}}]}, "RequestResources[0].Metadata"),
        ({"RequestResources": [{**RESOURCE, "Metadata": {"Navn": "", "navn": ""}}]}, "RequestResources[0].Metadata"),
        ({"ConsentEvents": []}, "ConsentEvents"),
        ({"ConsentEvents": [event("Exported")]}, "ConsentEvents[0].ConsentEventType"),
        ({"ConsentEvents": [event(1)]}, "ConsentEvents[0].ConsentEventType"),
        ({"ConsentEvents": [event("Delegate", "")]}, "DelegatedDateTime"),
        ({"from": GIVER}, "the record"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_can_not_be_read_is_told_by_its_member(changes: dict[str, Any], member: str) -> None:
    with pytest.raises(UnreadableRecordError) as refused:
        read_record(record(**changes))
    assert refused.value.name == member
    assert refused.value.id == (UUID(ID) if member not in {"AuthorizationRequestId", "the record"} else None)
    assert GIVER not in str(refused.value)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from([ID, "5498"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(record())), _json), st.booleans())
def test_any_json_is_a_record_or_refused(changes: dict[str, Any], alone: bool) -> None:
    with suppress(UnreadableRecordError):
        assert isinstance(read_record(changes if alone else record(**changes)), Record)
