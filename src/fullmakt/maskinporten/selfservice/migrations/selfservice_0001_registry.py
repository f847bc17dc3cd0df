"""The registry: prefixes, scopes, accesses, clients, keys, delegation sources."""

from alembic import op

revision = "selfservice_0001"
down_revision = None
branch_labels = ("selfservice",)
depends_on = None

_SCOPES = (
    """
    CREATE TABLE selfservice.delegation_source (
        issuer        text PRIMARY KEY,
        name          text NOT NULL,
        created       timestamptz NOT NULL,
        last_updated  timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE selfservice.prefix (
        prefix        text PRIMARY KEY,
        owner_orgno   text NOT NULL CHECK (owner_orgno ~ '^[0-9]{9}$'),
        active        boolean NOT NULL DEFAULT true,
        created       timestamptz NOT NULL,
        last_updated  timestamptz NOT NULL
    )
    """,
    "CREATE INDEX prefix_owner ON selfservice.prefix (owner_orgno)",
    # The owner of a scope is the owner of its prefix: told in one place, so that the two can not disagree.
    """
    CREATE TABLE selfservice.scope (
        name                           text PRIMARY KEY,
        prefix                         text NOT NULL REFERENCES selfservice.prefix,
        subscope                       text NOT NULL,
        description                    text NOT NULL,
        long_description               text,
        translations                   jsonb NOT NULL DEFAULT '{}',
        active                         boolean NOT NULL DEFAULT true,
        visibility                     text NOT NULL DEFAULT 'PUBLIC',
        allowed_integration_types      text[] NOT NULL DEFAULT '{}',
        token_type                     text NOT NULL DEFAULT 'SELF_CONTAINED',
        delegation_source              text REFERENCES selfservice.delegation_source,
        accessible_for_all             boolean NOT NULL DEFAULT false,
        at_max_age                     integer NOT NULL DEFAULT 0,
        authorization_max_lifetime     integer NOT NULL DEFAULT 0,
        requires_user_consent          boolean NOT NULL DEFAULT false,
        requires_user_authentication   boolean NOT NULL DEFAULT false,
        requires_pseudonymous_tokens   boolean NOT NULL DEFAULT false,
        enforced_aud_for_access_token  text,
        protected                      boolean NOT NULL DEFAULT false,
        supports_european_businesses   boolean NOT NULL DEFAULT false,
        created                        timestamptz NOT NULL,
        last_updated                   timestamptz NOT NULL,
        CHECK (name = prefix || ':' || subscope)
    )
    """,
    "CREATE INDEX scope_prefix ON selfservice.scope (prefix)",
    """
    CREATE TABLE selfservice.scope_access (
        scope           text NOT NULL REFERENCES selfservice.scope,
        consumer_orgno  text NOT NULL CHECK (consumer_orgno ~ '^[0-9]{9}$'),
        state           text NOT NULL CHECK (state IN ('REQUESTED', 'APPROVED', 'DENIED')),
        created         timestamptz NOT NULL,
        last_updated    timestamptz NOT NULL,
        PRIMARY KEY (scope, consumer_orgno)
    )
    """,
    "CREATE INDEX scope_access_consumer ON selfservice.scope_access (consumer_orgno)",
)

_CLIENTS = (
    """
    CREATE TABLE selfservice.client (
        client_id                            text PRIMARY KEY,
        client_orgno                         text NOT NULL CHECK (client_orgno ~ '^[0-9]{9}$'),
        supplier_orgno                       text CHECK (supplier_orgno ~ '^[0-9]{9}$'),
        integration_type                     text NOT NULL,
        made_by_altinn                       boolean NOT NULL DEFAULT false,
        created_by_client_id                 text NOT NULL DEFAULT '',
        active                               boolean NOT NULL DEFAULT true,
        client_name                          text NOT NULL,
        description                          text,
        application_type                     text NOT NULL DEFAULT 'web',
        grant_types                          text[] NOT NULL
            DEFAULT '{urn:ietf:params:oauth:grant-type:jwt-bearer}',
        token_endpoint_auth_method           text NOT NULL DEFAULT 'private_key_jwt',
        access_token_lifetime                integer NOT NULL DEFAULT 120,
        refresh_token_lifetime               integer NOT NULL DEFAULT 600,
        refresh_token_usage                  text NOT NULL DEFAULT 'ONETIME',
        authorization_lifetime               integer NOT NULL DEFAULT 7200,
        redirect_uris                        text[] NOT NULL DEFAULT '{}',
        post_logout_redirect_uris            text[] NOT NULL DEFAULT '{}',
        frontchannel_logout_uri              text,
        frontchannel_logout_session_required boolean NOT NULL DEFAULT false,
        sso_disabled                         boolean NOT NULL DEFAULT false,
        code_challenge_method                text NOT NULL DEFAULT 'S256',
        logo_uri                             text,
        client_uri                           text,
        secret_sha256                        bytea,
        secret_expires                       timestamptz,
        created                              timestamptz NOT NULL,
        last_updated                         timestamptz NOT NULL
    )
    """,
    "CREATE INDEX client_owner ON selfservice.client (client_orgno)",
    "CREATE INDEX client_supplier ON selfservice.client (supplier_orgno) WHERE supplier_orgno IS NOT NULL",
    "CREATE INDEX client_made_by_altinn ON selfservice.client (created_by_client_id) WHERE made_by_altinn",
    # No foreign key to scope: a login client holds openid and profile, which no organisation owns.
    """
    CREATE TABLE selfservice.client_scope (
        client_id  text NOT NULL REFERENCES selfservice.client,
        scope      text NOT NULL,
        PRIMARY KEY (client_id, scope)
    )
    """,
    # spki is the key as the token server reads it (SubjectPublicKeyInfo, DER), written once at upload; certificate is
    # the leaf (DER) that the key is locked to.
    """
    CREATE TABLE selfservice.client_key (
        client_id     text NOT NULL REFERENCES selfservice.client,
        kid           text NOT NULL,
        alg           text,
        jwk           jsonb NOT NULL,
        x5c           text[],
        spki          bytea NOT NULL,
        certificate   bytea,
        expires       bigint NOT NULL,
        created       timestamptz NOT NULL,
        last_updated  timestamptz NOT NULL,
        PRIMARY KEY (client_id, kid)
    )
    """,
    """
    CREATE TABLE selfservice.onbehalfof (
        client_id          text NOT NULL REFERENCES selfservice.client,
        value              text NOT NULL,
        name               text,
        orgno              text,
        organization_name  text,
        description        text,
        uri                text,
        logo_uri           text,
        created            timestamptz NOT NULL,
        last_updated       timestamptz NOT NULL,
        PRIMARY KEY (client_id, value)
    )
    """,
)


def upgrade() -> None:
    op.execute("CREATE SCHEMA selfservice")
    for statement in (*_SCOPES, *_CLIENTS):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP SCHEMA selfservice CASCADE")
