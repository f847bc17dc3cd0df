"""Every reason for which Altinn's systems decide or refuse something has a sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import fullmakt
from fullmakt.altinn.decisions.model import Reason
from fullmakt.altinn.exchange.errors import ExchangeRefusedError
from fullmakt.cli.altinn_codes import codes, codes_in
from fullmakt.cli.rights.reasons import Meaning, catalogue, meaning_of, meanings_named, sentence
from fullmakt.lanekassen.errors import Reason as BalanceReason
from fullmakt.provider import ConsentCause
from fullmakt.provider.errors import Reason as TokenReason
from fullmakt.wire.altinn.consents2 import ErrorCode

ROOT = Path(fullmakt.__file__).parent
REASON = re.compile(r"[a-z]+(_[a-z]+)*")
FIELDS = re.compile(r"\{(?!actor\}|subject\}|facts\.[a-z_]+\})")


def calls(*names: str) -> Iterator[tuple[Path, ast.Call]]:
    """Every call in Altinn's systems of something with one of these names."""
    for path in [*(ROOT / "altinn").rglob("*.py"), ROOT / "infra" / "altinn.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in names:
                    yield path, node


def texts(node: ast.Call) -> list[str]:
    """The texts among a call's arguments that can be reasons."""
    values = [one.value for one in node.args if isinstance(one, ast.Constant)]
    return [value for value in values if isinstance(value, str) and REASON.fullmatch(value)]


def test_every_reason_for_a_decision_has_a_sentence_and_no_sentence_is_for_another() -> None:
    assert catalogue()["decisions"].keys() == {str(reason) for reason in Reason}


def test_every_reason_for_which_an_api_refuses_has_a_sentence() -> None:
    reasons = {text for _, node in calls("ForbiddenError", "refused", "tell_refusal") for text in texts(node)}
    assert len(reasons) > 15
    assert reasons - catalogue()["refusals"].keys() == set()


def test_every_reason_for_which_altinn_2_turns_somebody_away_has_a_sentence() -> None:
    names = ("NotAdmittedError", "NotAuthenticatedError", "NoConsentTokenError", "_not_authenticated")
    reasons = {text for _, node in calls(*names) for text in texts(node)}
    assert len(reasons) > 10
    assert reasons - catalogue()["refusals"].keys() == set()


def test_every_reason_for_which_no_token_is_exchanged_has_a_sentence() -> None:
    reasons = {text for _, node in calls("TokenRefusedError") for text in texts(node)}
    assert len(reasons) > 8
    reasons |= {kind.reason for kind in ExchangeRefusedError.__subclasses__() if hasattr(kind, "reason")}
    assert reasons | {str(reason) for reason in TokenReason} <= catalogue()["exchange"].keys()


def test_every_reason_of_lånekassens_has_a_sentence_and_no_sentence_is_for_another() -> None:
    refusals = {str(reason) for reason in (*BalanceReason, *ConsentCause)}
    assert catalogue()["balances"].keys() == refusals | {"consent"}
    assert {reason for reason, meaning in catalogue()["balances"].items() if not meaning.remedy} == {"consent"}


@pytest.mark.parametrize("family", ["decisions", "refusals", "exchange", "codes", "balances"])
def test_words_and_remedies_are_sentences(family: str) -> None:
    for reason, meaning in catalogue()[family].items():
        for text in filter(None, (meaning.words, meaning.remedy)):
            assert re.fullmatch(r"[A-Z`].*[.`]", text), reason
            assert text.count("`") % 2 == 0, reason


def test_no_sentence_is_for_a_code_that_no_system_answers_with() -> None:
    assert catalogue()["codes"].keys() <= codes().keys()


def test_every_code_in_a_list_of_errors_is_found_with_its_text() -> None:
    (gone,) = codes_in("urn:altinn:error:auth-00011")
    assert (gone.code, gone.status, gone.api) == ("AUTH-00011", 404, "systems and system users")
    assert gone.text == "The Id does not refer to a Registered System."
    assert gone.meaning is not None
    (unknown,) = codes_in('{"code": "AUTH.VLD-00003"}')
    assert (unknown.status, unknown.document()["of"]) == (400, gone.api)
    assert len(codes_in("AUTH.VLD-00014")) == 2
    assert codes_in("AM-00022")[0].meaning is None
    assert codes_in("AUTH-99999") == codes_in("AUTH-000111") == codes_in("nothing") == []


def test_every_code_of_a_consent_says_what_to_do() -> None:
    of_consents = [code for known in codes().values() for code in known if code.api == "consents"]
    assert {"AM-00000", "AM-00014", "AM.VLD-00022", "STD-00001", "STD.VLD-00000"} <= {one.code for one in of_consents}
    assert [one.code for one in of_consents if one.meaning is None or not one.meaning.remedy] == []


def test_the_codes_of_altinn_2_are_found_in_an_answer_and_no_other_number_is() -> None:
    (redirect,) = codes_in('[{"ErrorCode":"90006","ErrorMessage":"RedirectUrl is not on a domain that is allowed."}]')
    assert (redirect.code, redirect.status, redirect.api) == ("90006", 400, "consents in Altinn 2's form")
    assert redirect.meaning is not None
    assert codes_in("450211")[0].api == "SRR"
    assert {ErrorCode(code) for code in codes() if code.isdigit() and len(code) == 5} == set(ErrorCode)
    assert codes_in("90099") == codes_in("190006") == codes_in("05890006925") == []


def test_only_what_is_permitted_needs_no_remedy() -> None:
    without = {reason for reason, meaning in catalogue()["decisions"].items() if not meaning.remedy}
    assert without == {Reason.RULE, Reason.DELEGATION}


def test_sentences_are_filled_in_with_nothing_that_there_is_not() -> None:
    for actions in catalogue()["asked"].values():
        for templates in actions.values():
            for template in [templates] if isinstance(templates, str) else templates:
                assert not FIELDS.search(template), template


def test_whatever_altinn_s_systems_write_in_the_trail_is_told_in_a_sentence() -> None:
    known = {action for actions in catalogue()["asked"].values() for action in actions}
    families = "|".join(sorted({re.escape(action.partition(":")[0]) for action in known}))
    action = re.compile(rf"({families}):[a-z]+([-_][a-z]+)*")
    named = {
        node.value
        for path in (ROOT / "altinn").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and action.fullmatch(node.value)
    }
    assert len(named) > 30
    assert named - known == set()


def test_a_reason_is_looked_up_in_its_own_system() -> None:
    assert meaning_of("decisions", "no_right") is not None
    assert meaning_of("exchange", "no_right") is None
    assert meaning_of("tokens", "expired") is None
    assert meaning_of("access-lists", "other_owner") == meaning_of("resources", "other_owner")


def test_a_reason_is_found_by_its_name_alone() -> None:
    assert meanings_named("no_right") == {"decisions": meaning_of("decisions", "no_right")}
    assert meanings_named("decision:make") == {}
    assert Meaning("So.").document() == {"words": "So.", "remedy": ""}


def test_the_first_sentence_is_taken_for_which_there_are_facts() -> None:
    facts = {"subject": None, "action": ["read"], "resource": "skd-mva", "party": "P"}
    about = {"actor": "A", "subject": ""}
    told = sentence("decisions", "decision:make", about, facts, lambda value: str(value))
    assert told == "A asks whether somebody unknown to the register may ['read'] skd-mva for P"
    assert sentence("decisions", "decision:make", about, {}, str) == (
        "A asks the decision point something that makes no sense to it"
    )
    assert sentence("parties", "role:grant", about, {}, str) is None
    assert sentence("tokens", "token:issue", about, {}, str) is None
