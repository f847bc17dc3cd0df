"""Altinn 2's consent services, rights registry and API keys, and consents of either form, in a world file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fullmakt.altinn.consents.altinn3.wishes import MAX_ACTIONS, MAX_MESSAGE, MAX_METADATA, MAX_RIGHTS, MAX_VALUE
from fullmakt.altinn.consents.declared import DeclaredConsent, DeclaredRight, State
from fullmakt.altinn.consents.model import Form, PortalViewMode
from fullmakt.altinn.consents.srr.domains import InvalidPatternError, parse_pattern
from fullmakt.altinn.consents.texts import redirect_parts
from fullmakt.kernel.identifiers import NationalId
from fullmakt.kernel.text import is_storable
from fullmakt.world import reading as r
from fullmakt.world.model import ApiKey, ConsentService, SrrEntry

_CODE = re.compile(r"[A-Za-z0-9]{1,20}", re.ASCII)
_code = r.matching(_CODE, "a service code is up to 20 letters and digits")
_LEVELS = (2, 3, 4)


def read_consent_service(table: r.Table) -> ConsentService | None:
    """Read one ``[[consent_service]]``."""
    service = ConsentService(
        resource=table.required("resource", r.text),
        code=table.required("code", _code),
        edition=table.number_of("edition", 1),
        uses_srr=table.flag("uses_srr", default=False),
        one_time=table.flag("one_time", default=False) if table.has("one_time") else None,
        min_level=table.number_of("min_level", 0) if table.has("min_level") else None,
    )
    if table.ok and service.min_level is not None and service.min_level not in _LEVELS:
        table.fault("min_level", "an authentication level is 2, 3 or 4")
    return service if table.ok else None


def read_srr_entry(table: r.Table) -> SrrEntry | None:
    """Read one ``[[srr]]``; ``valid_to`` has an offset from UTC."""
    entry = SrrEntry(
        code=table.required("code", _code),
        edition=table.number_of("edition", 1),
        reportee=table.required("reportee", r.orgno),
        valid_to=table.required("valid_to", r.time),
        handled_by=table.optional("handled_by", r.orgno),
        domains=table.texts("domains", _domain),
        keep_session_alive=table.flag("keep_session_alive", default=False),
    )
    return entry if table.ok else None


def read_api_key(table: r.Table) -> ApiKey | None:
    """Read one ``[[api_key]]``; its secret is made in the state folder."""
    key = ApiKey(
        name=table.required("name", r.local_name),
        organisation=table.required("organisation", r.orgno),
        domains=table.texts("domains", _domain),
        service_owner=table.flag("service_owner", default=False),
    )
    return key if table.ok else None


def read_consent(table: r.Table) -> DeclaredConsent | None:
    """Read one ``[[consent]]``. A person answers for themselves unless another is named."""
    giver = table.required("from", r.party)
    state = State(table.defaulted("state", r.one_of([one.value for one in State]), State.ACCEPTED.value))
    required = table.optional("required_delegator", r.national_id)
    answered_by = table.optional("answered_by", r.national_id)
    if answered_by is None and state.was_answered:
        answered_by = required or (giver if isinstance(giver, NationalId) else None)
    consent = DeclaredConsent(
        id=table.required("id", r.uuid),
        giver=giver,
        receiver=table.required("to", r.orgno),
        rights=table.required("rights", _rights),
        valid_to=table.required("valid_to", r.time),
        form=Form(table.defaulted("form", r.one_of([one.value for one in Form]), Form.ALTINN3.value)),
        state=state,
        handled_by=table.optional("handled_by", r.orgno),
        required_delegator=required,
        answered_by=answered_by,
        message=table.defaulted("message", _message, ()),
        redirect_url=table.defaulted("redirect_url", _redirect_url, ""),
        portal_view_mode=PortalViewMode(
            table.defaulted("portal_view_mode", r.one_of([one.value for one in PortalViewMode]), "Hide")
        ),
        migrated=table.flag("migrated", default=False) if table.has("migrated") else None,
    )
    if table.ok:
        _check_consent(table, consent)
    return consent if table.ok else None


def _check_consent(table: r.Table, consent: DeclaredConsent) -> None:
    """What can not be so, whoever there is (consent.md §2.4, §4.15, §4.17)."""
    state = consent.state
    if state.was_answered and consent.answered_by is None:
        table.fault("answered_by", "which person has answered for the organisation?")
    if not state.was_answered and consent.answered_by is not None:
        table.fault("answered_by", f"nobody has answered what is {state}")
    if consent.required_delegator not in {None, consent.answered_by} and consent.answered_by is not None:
        table.fault("answered_by", "nobody but the required_delegator can have answered")
    if state in {State.CREATED, State.OPENED} and not consent.redirect_url:
        table.fault("redirect_url", "whoever answers is sent somewhere: missing")
    if state is State.OPENED and consent.form is not Form.ALTINN2:
        table.fault("state", "only a request of Altinn 2's form is opened")
    if consent.migrated and (consent.form is not Form.ALTINN2 or not state.was_given):
        table.fault("migrated", "only a consent that was given in Altinn 2's form is taken over into Altinn 3")


def _rights(raw: object) -> tuple[DeclaredRight, ...]:
    if not isinstance(raw, Sequence) or isinstance(raw, str) or not 1 <= len(raw) <= MAX_RIGHTS:
        raise r.FaultyFieldError(f"an array of 1 to {MAX_RIGHTS} tables: [{{ resource = …, metadata = {{ … }} }}]")
    return tuple([_right(one) for one in raw])


def _right(raw: object) -> DeclaredRight:
    if not isinstance(raw, Mapping) or raw.keys() - {"resource", "metadata", "actions"}:
        raise r.FaultyFieldError("a right has resource, metadata, actions")
    if "resource" not in raw:
        raise r.FaultyFieldError("which resource is the right to?")
    actions = raw.get("actions", ["consent"])
    if not isinstance(actions, Sequence) or isinstance(actions, str) or not 1 <= len(actions) <= MAX_ACTIONS:
        raise r.FaultyFieldError("actions is an array of at least one")
    return DeclaredRight(r.text(raw["resource"]), _metadata(raw.get("metadata", {})), tuple(map(r.text, actions)))


def _metadata(raw: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(raw, Mapping) or len(raw) > MAX_METADATA:
        raise r.FaultyFieldError(f"metadata is a table of up to {MAX_METADATA} texts")
    read = {_text(key, r.MAX_LINE).lower(): _text(value, MAX_VALUE) for key, value in raw.items()}
    if len(read) < len(raw):
        raise r.FaultyFieldError("metadata has a key twice: they are alike but for capitals")
    return tuple(sorted(read.items()))


def _message(raw: object) -> tuple[tuple[str, str], ...]:
    texts = raw if isinstance(raw, Mapping) else dict.fromkeys(r.LANGUAGES, raw)
    if texts.keys() - set(r.LANGUAGES):
        raise r.FaultyFieldError(f"languages are {', '.join(r.LANGUAGES)}")
    return tuple(sorted((language, _text(text, MAX_MESSAGE)) for language, text in texts.items()))


def _text(raw: object, longest: int) -> str:
    """Text as the APIs take it, which is more than a line."""
    if not isinstance(raw, str) or not raw.strip() or len(raw) > longest or not is_storable(raw):
        raise r.FaultyFieldError(f"text of 1 to {longest} characters")
    return raw


def _redirect_url(raw: object) -> str:
    url = raw if isinstance(raw, str) else ""
    if redirect_parts(url) is None:
        raise r.FaultyFieldError("an absolute URL, or an app's, that a browser can be sent to")
    return url


def _domain(raw: object) -> str:
    try:
        return str(parse_pattern(r.text(raw)))
    except InvalidPatternError as error:
        raise r.FaultyFieldError(f"no pattern of domains ({error.reason})") from error
