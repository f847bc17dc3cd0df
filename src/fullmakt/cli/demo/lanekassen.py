"""Seed 003: grant, token, consent token, balance; and the same by a supplier, with ``consumer_org``.

Who plays is told in ``saldo``. All of it over HTTP; what is given is taken back at the end, so that it can be played
again.
"""

from __future__ import annotations

from contextlib import ExitStack

from fullmakt.cli.demo import saldo
from fullmakt.cli.demo.saldo import BANK, SCOPE, VENDOR, Asker
from fullmakt.cli.demo.stage import DemoFailedError, Stage
from fullmakt.jose.compact import parse_compact

BANKS_DIRECTOR = "05895199925"
PACKAGES = ("altinn-samtykke-api", "lanekassen-saldoopplysninger")


def play(stage: Stage) -> None:
    """Play it from beginning to end.

    Raises:
        DemoFailedError: a step did not come out as the story has it.
    """
    _bank(stage)
    _supplier(stage)
    stage.done("The bank saw the balance with Jonas' consent, and so did its supplier, in the bank's name.")


def _bank(stage: Stage) -> None:
    key = saldo.altinn_key(stage, "demo-bank")
    bank = Asker("demo-bank-consent", "demo-bank", altinn_key=key, source_key=saldo.source_key(stage, BANK))
    with ExitStack() as at_the_end:
        code = _consent(stage, bank, at_the_end)
        stage.step("The grant for Lånekassen's API, and the token that Maskinporten answers with")
        token = stage.access_token(bank.balances, SCOPE)
        stage.show("The token says:", parse_compact(token).unverified_payload)
        stage.step("Without a consent there is no balance")
        if saldo.balance(stage, bank, token, expect=(200, 403)) is not None:
            stage.say("Lånekassen remembers a consent from an earlier time.")
        stage.step("The consent token, fetched once for each consent")
        consent = saldo.consent_token(stage, bank, code)
        _check(token, consent)
        stage.step("The balance. The Maskinporten token goes without the word Bearer, the consent token in Consent-ID")
        saldo.balance(stage, bank, token, consent=consent)
        stage.step("Lånekassen remembers the consent: the next time it need not be sent along")
        saldo.balance(stage, bank, token)
        stage.step("Jonas takes it back, and Lånekassen hears of it at once")
    saldo.balance(stage, bank, token, expect=403)


def _supplier(stage: Stage) -> None:
    key = saldo.altinn_key(stage, "demo-vendor")
    source = saldo.source_key(stage, VENDOR)
    supplier = Asker("demo-vendor-consent", "demo-vendor", altinn_key=key, source_key=source, consumer=BANK)
    with ExitStack() as at_the_end:
        _delegate(stage, supplier, at_the_end)
        code = _consent(stage, supplier, at_the_end)
        stage.step("The supplier's grant names the bank as consumer_org, and the token names them both")
        token = stage.access_token(supplier.balances, SCOPE, consumer_org=BANK)
        stage.show("The token says:", parse_compact(token).unverified_payload)
        stage.step("The consent token, and the balance: consumer without 0192: is CoveredBy, supplier is HandledBy")
        consent = saldo.consent_token(stage, supplier, code)
        _check(token, consent)
        saldo.balance(stage, supplier, token, consent=consent)
        stage.step("Jonas takes it back, and the bank what it has delegated")


def _consent(stage: Stage, asker: Asker, at_the_end: ExitStack) -> str:
    """The authorization code of a consent that has been given, and is taken back at the end."""
    who = "The bank" if asker.consumer is None else "The supplier, in the bank's name,"
    stage.step(f"{who} asks Jonas for consent, and he says yes")
    asked = saldo.request_altinn2(stage, asker)
    code = saldo.code_of(asked)
    saldo.accept(stage, code, asked["_links"]["gui"]["href"])
    at_the_end.callback(saldo.revoke, stage, code)
    return code


def _check(token: str, consent: str) -> None:
    """What seed 003 has the bank check before it calls."""
    one, other = parse_compact(token).unverified_payload, parse_compact(consent).unverified_payload
    if one["consumer"]["ID"].removeprefix("0192:") != other["CoveredBy"] or other["OfferedBy"] != saldo.BORROWER:
        raise DemoFailedError("expected both tokens to be the bank's, and the consent to be the borrower's")


def _delegate(stage: Stage, supplier: Asker, at_the_end: ExitStack) -> None:
    """Delegate what is not delegated yet, until the end; what is from before stays."""
    director = stage.persons_token(BANKS_DIRECTOR, saldo.PORTAL)
    found = stage.send("GET", stage.url("register", f"api/v1/organizations/{BANK}"), expect=200).json()
    where = {"party": str(found["partyUuid"]), "supplier": VENDOR}
    suppliers = stage.url("accessmanagement", "api/v1/enduser/maskinportensuppliers")
    known = stage.send("GET", suppliers, expect=200, token=director, params=where).json()
    given = stage.send("GET", f"{suppliers}/resources", expect=200, token=director, params=where).json()
    missing = [package for package in PACKAGES if all(package != each["resource"]["refId"] for each in given)]
    if missing == list(PACKAGES):
        stage.step("The supplier is not let yet: consumer_org is refused")
        stage.token(supplier.balances, SCOPE, expect=403, consumer_org=BANK)

    stage.step("The bank's managing director delegates both API packages to the supplier")
    if not known:
        stage.send("POST", suppliers, expect=200, token=director, params=where)
        at_the_end.callback(stage.send, "DELETE", suppliers, expect=204, token=director, params=where)
    for package in missing:
        about = {**where, "resource": package}
        stage.send("POST", f"{suppliers}/resources", expect=200, token=director, params=about)
        at_the_end.callback(stage.send, "DELETE", f"{suppliers}/resources", expect=204, token=director, params=about)
