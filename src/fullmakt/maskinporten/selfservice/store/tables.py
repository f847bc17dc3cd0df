"""The tables with so many columns that statements on them are better built than written (schema: migrations/)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(schema="selfservice")
_MOMENT = DateTime(timezone=True)

client = Table(
    "client",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("client_orgno", Text),
    Column("supplier_orgno", Text),
    Column("integration_type", Text),
    Column("made_by_altinn", Boolean),
    Column("created_by_client_id", Text),
    Column("active", Boolean),
    Column("client_name", Text),
    Column("description", Text),
    Column("application_type", Text),
    Column("grant_types", ARRAY(Text)),
    Column("token_endpoint_auth_method", Text),
    Column("access_token_lifetime", Integer),
    Column("refresh_token_lifetime", Integer),
    Column("refresh_token_usage", Text),
    Column("authorization_lifetime", Integer),
    Column("redirect_uris", ARRAY(Text)),
    Column("post_logout_redirect_uris", ARRAY(Text)),
    Column("frontchannel_logout_uri", Text),
    Column("frontchannel_logout_session_required", Boolean),
    Column("sso_disabled", Boolean),
    Column("code_challenge_method", Text),
    Column("logo_uri", Text),
    Column("client_uri", Text),
    Column("secret_sha256", LargeBinary),
    Column("secret_expires", _MOMENT),
    Column("created", _MOMENT),
    Column("last_updated", _MOMENT),
)

client_key = Table(
    "client_key",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("kid", Text, primary_key=True),
    Column("alg", Text),
    Column("jwk", JSONB),
    Column("x5c", ARRAY(Text)),
    Column("spki", LargeBinary),
    Column("certificate", LargeBinary),
    Column("expires", BigInteger),
    Column("created", _MOMENT),
    Column("last_updated", _MOMENT),
)

onbehalfof = Table(
    "onbehalfof",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("name", Text),
    Column("orgno", Text),
    Column("organization_name", Text),
    Column("description", Text),
    Column("uri", Text),
    Column("logo_uri", Text),
    Column("created", _MOMENT),
    Column("last_updated", _MOMENT),
)

scope = Table(
    "scope",
    metadata,
    Column("name", Text, primary_key=True),
    Column("prefix", Text),
    Column("subscope", Text),
    Column("description", Text),
    Column("long_description", Text),
    Column("translations", JSONB),
    Column("active", Boolean),
    Column("visibility", Text),
    Column("allowed_integration_types", ARRAY(Text)),
    Column("token_type", Text),
    Column("delegation_source", Text),
    Column("accessible_for_all", Boolean),
    Column("at_max_age", Integer),
    Column("authorization_max_lifetime", Integer),
    Column("requires_user_consent", Boolean),
    Column("requires_user_authentication", Boolean),
    Column("requires_pseudonymous_tokens", Boolean),
    Column("enforced_aud_for_access_token", Text),
    Column("protected", Boolean),
    Column("supports_european_businesses", Boolean),
    Column("created", _MOMENT),
    Column("last_updated", _MOMENT),
)

client_scope = Table(
    "client_scope", metadata, Column("client_id", Text, primary_key=True), Column("scope", Text, primary_key=True)
)

prefix = Table(
    "prefix",
    metadata,
    Column("prefix", Text, primary_key=True),
    Column("owner_orgno", Text),
    Column("active", Boolean),
    Column("created", _MOMENT),
    Column("last_updated", _MOMENT),
)

scope_access = Table(
    "scope_access",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("consumer_orgno", Text, primary_key=True),
    Column("state", Text),
    Column("created", _MOMENT),
    Column("last_updated", _MOMENT),
)

delegation_source = Table(
    "delegation_source",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("name", Text),
    Column("created", _MOMENT),
    Column("last_updated", _MOMENT),
)

text_count = Table(
    "text_count",
    metadata,
    Column("counted", Text, primary_key=True),
    Column("since", _MOMENT),
    Column("texts", Integer),
)
