"""What codes mean to the person whose answer was not taken."""

from __future__ import annotations

import pytest

from fullmakt.altinn.systemusers import errors
from fullmakt.portal.refusals import meaning
from fullmakt.wire.altinn.problems import ProblemKind

TOLD_OF_ANSWERS = [
    errors.RIGHT_NOT_FOUND,
    errors.DELEGATION_FAILED,
    errors.SYSTEM_USER_EXISTS,
    errors.REQUEST_NOT_FOUND,
    errors.SYSTEM_NOT_FOUND,
    errors.REQUEST_NOT_NEW,
    errors.SYSTEM_USER_NOT_FOUND,
    errors.AGENT_REQUEST_NOT_FOUND,
    errors.PARTY_MISMATCH,
    errors.AGENT_PARTY_MISMATCH,
    errors.NOT_AUTHENTICATED,
    errors.NOT_ALLOWED,
    errors.CHECK_FAILED,
    errors.ROLE_MISSING,
    errors.DELEGATION_MISSING,
    errors.NOT_IN_SERVICE_OWNERS_REGISTER,
    errors.LEVEL_TOO_LOW,
    errors.PACKAGE_CHECK_FAILED,
    errors.PACKAGE_NOT_HELD,
    errors.PACKAGE_NOT_IN_SYSTEM,
    errors.NOT_ON_ACCESS_LIST,
    errors.RESOURCE_NOT_DELEGABLE,
    errors.RESOURCE_IS_SCHEMA,
]


@pytest.mark.parametrize("kind", TOLD_OF_ANSWERS, ids=lambda kind: kind.code)
def test_every_code_that_an_answer_may_meet_is_put_in_words(kind: ProblemKind) -> None:
    assert meaning(kind.code) != meaning("AUTH-99999")


def test_a_code_that_nobody_foresaw_is_told_without_a_guess() -> None:
    assert meaning("AUTH-99999") == "Altinn did not take the answer."
