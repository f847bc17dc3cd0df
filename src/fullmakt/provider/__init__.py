"""SDK for owners of APIs: verify access tokens of Maskinporten and Altinn, and ask what those who send them may do.

    verifier = TokenVerifier("https://test.maskinporten.no/")
    token = await verifier.verify(text, scopes=["provider:api.read"])
    token.consumer  # '310000027'
    token.system_user  # whom the token is for, where it is a system user's

    decisions = DecisionClient("https://platform.tt02.altinn.no/authorization", auth=auth, subscription_key="…")
    result = await decisions.authorize(token, "read", "skd-mva", OrgNumber("310000027"))
    result.require()  # or look at it: if result: …

    consent = await ConsentTokenVerifier("https://www.altinn.no").verify(consent_token)  # or consent_of(token)
    require_consent(consent, token, giver, services={"5498_1"}, now=now)

``fullmakt.provider.asgi`` and ``fullmakt.provider.fastapi`` put it in front of an API; they are imported only by those
who use them, so that this package needs neither. With ``RemoteKeys`` the asynchronous verifier runs on asyncio.
"""

from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.provider.consent_cache import ConsentCache, ConsentsInMemory
from fullmakt.provider.consent_ended import ConsentListError, EndedConsents
from fullmakt.provider.consent_model import Consent, ConsentCause, ConsentForm, NoConsentError
from fullmakt.provider.consent_rules import consent_of, require_consent
from fullmakt.provider.consent_verifier import ConsentTokenVerifier, SyncConsentTokenVerifier
from fullmakt.provider.decisions import DecisionClient, SyncDecisionClient
from fullmakt.provider.decisions_errors import (
    DecisionError,
    DecisionRefusedError,
    DecisionUnavailableError,
    InvalidSubjectError,
    NotPermittedError,
    UnreadableDecisionError,
)
from fullmakt.provider.decisions_model import DecisionReason, DecisionResult, Question, Subject
from fullmakt.provider.decisions_subject import subject_of, thin_subject
from fullmakt.provider.errors import (
    BearerError,
    ConsumerNotAllowedError,
    InsufficientScopeError,
    InvalidRequestError,
    InvalidTokenError,
    IssuerUnavailableError,
    MissingTokenError,
    Reason,
)
from fullmakt.provider.key_cache import KeyCacheLimits
from fullmakt.provider.keys import KeySource, StaticKeys, SyncKeySource
from fullmakt.provider.remote import RemoteKeys
from fullmakt.provider.trusted import SyncTrustedIssuers, TrustedIssuers, Verifier
from fullmakt.provider.verified_token import VerifiedToken
from fullmakt.provider.verifier import SyncTokenVerifier, TokenVerifier
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.consents import ConsentRight
from fullmakt.wire.altinn.token_details import EnterpriseDetails, SystemUserDetails
from fullmakt.wire.altinn.xacml_json import Outcome

__all__ = [
    "Attribute",
    "BearerError",
    "Consent",
    "ConsentCache",
    "ConsentCause",
    "ConsentForm",
    "ConsentListError",
    "ConsentRight",
    "ConsentTokenVerifier",
    "ConsentsInMemory",
    "ConsumerNotAllowedError",
    "DecisionClient",
    "DecisionError",
    "DecisionReason",
    "DecisionRefusedError",
    "DecisionResult",
    "DecisionUnavailableError",
    "EndedConsents",
    "EnterpriseDetails",
    "InsufficientScopeError",
    "InvalidRequestError",
    "InvalidSubjectError",
    "InvalidTokenError",
    "IssuerUnavailableError",
    "KeyCacheLimits",
    "KeySource",
    "MissingTokenError",
    "NationalId",
    "NoConsentError",
    "NotPermittedError",
    "OrgNumber",
    "Outcome",
    "Question",
    "Reason",
    "RemoteKeys",
    "StaticKeys",
    "Subject",
    "SyncConsentTokenVerifier",
    "SyncDecisionClient",
    "SyncKeySource",
    "SyncTokenVerifier",
    "SyncTrustedIssuers",
    "SystemUserDetails",
    "TokenVerifier",
    "TrustedIssuers",
    "UnreadableDecisionError",
    "VerifiedToken",
    "Verifier",
    "consent_of",
    "require_consent",
    "subject_of",
    "thin_subject",
]
