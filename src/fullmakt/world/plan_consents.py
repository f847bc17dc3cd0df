"""What keeps a declared consent from being so, beside what is there: its resources, and what it is already. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from fullmakt.altinn.consents.declared import DeclaredConsent, State, contradictions, unfit_rights
from fullmakt.wire.altinn.resources import CONSENT, ConsentTerms
from fullmakt.world.model import ConsentService, Entry, Resource

_FIELDS = {"giver": "from", "receiver": "to"}
"""What fields are called in a file, where that differs."""

_TAKEN_OVER = "has been taken over by Altinn 3, which is not undone: leave migrated out, or say true"


def consent_faults(
    consent: DeclaredConsent,
    before: Entry | None,
    resources: Mapping[str, Resource],
    services: Mapping[str, ConsentService],
) -> Iterator[tuple[str, str | None]]:
    """Each fault as a field of the file, and what is wrong in words; None: it is there otherwise, and can not change.

    ``resources`` are those declared beside it, or there, by identifier, and ``services`` what stands for them in
    Altinn 2. Of one that is there as it is declared nothing is asked.
    """
    if before == consent:
        return
    if isinstance(before, DeclaredConsent):
        for field in contradictions(before, consent):
            taken_over = field == "migrated" and before.migrated
            yield _FIELDS.get(field, field), f"{consent.id} {_TAKEN_OVER}" if taken_over else None
        return
    for why in unfit(consent, resources):
        yield "rights", why
    named = [right.resource for right in consent.rights]
    if consent.state is State.USED_UP and not any(_may_be_one_time(one, resources, services) for one in named):
        yield "state", "only a consent for one time can be used up, and none of its resources is for one time"


def _may_be_one_time(
    identifier: str, resources: Mapping[str, Resource], services: Mapping[str, ConsentService]
) -> bool:
    """Whether a consent to the resource can be for one time, which its service in Altinn 2 says before itself."""
    said = services[identifier].one_time if identifier in services else None
    if said is not None:
        return said
    if identifier not in resources:  # a fault of another kind
        return True
    terms = _terms(resources[identifier])
    return terms is not None and terms.one_time


def unfit(consent: DeclaredConsent, resources: Mapping[str, Resource]) -> Iterator[str]:
    """Why the consent's resources can not be consented to so, in words."""
    named = {right.resource for right in consent.rights}
    terms = {key: _terms(resources[key]) for key in sorted(named & resources.keys())}
    return unfit_rights(consent.form, consent.rights, terms)


def why_not_again(consent: DeclaredConsent, resources: Mapping[str, Resource]) -> str | None:
    """Why a consent that is there could not be declared anew beside ``resources``; None when it could."""
    if any(right.resource not in resources for right in consent.rights):
        return "a resource of it is registered no more"
    if consent.state.was_answered and consent.answered_by is None:
        return "whoever answered is registered no more"
    if consent.state in {State.CREATED, State.OPENED} and not consent.redirect_url:
        return "it sends nobody anywhere"
    return next(unfit(consent, resources), None)


def field_of(name: str) -> str:
    """What the file's field is called in the entry."""
    return next((own for own, written in _FIELDS.items() if written == name), name)


def _terms(resource: Resource) -> ConsentTerms | None:
    if resource.resource_type != CONSENT:
        return None
    document = json.loads(resource.document)
    metadata = document.get("consentMetadata") or {}
    return ConsentTerms(
        template=document.get("consentTemplate"),
        metadata=tuple((key, bool(said.get("optional"))) for key, said in metadata.items()),
        one_time=bool(document.get("isOneTimeConsent")),
    )
