"""What vendors ask organisations for, and the system users that come of it."""

from alembic import op

revision = "systemusers_0002"
down_revision = "systemusers_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # `current` is false when the request's key is free for another: it was deleted, it timed out and was made anew, or
    # the system user that came of it is gone. `number` orders pages.
    op.execute(
        """
        CREATE TABLE systemusers.request (
            request_id         uuid PRIMARY KEY,
            number             bigint GENERATED ALWAYS AS IDENTITY,
            kind               text NOT NULL CHECK (kind IN ('standard', 'agent')),
            system             uuid NOT NULL REFERENCES systemusers.system,
            party              text NOT NULL CHECK (party ~ '^[0-9]{9}$'),
            external_ref       text NOT NULL,
            integration_title  text NOT NULL,
            rights             jsonb NOT NULL,
            packages           text[] NOT NULL,
            redirect_url       text NOT NULL,
            status             text NOT NULL CHECK (status IN ('New', 'Accepted', 'Rejected', 'Denied')),
            escalated          boolean NOT NULL DEFAULT false,
            current            boolean NOT NULL DEFAULT true,
            deleted            boolean NOT NULL DEFAULT false,
            created            timestamptz NOT NULL,
            changed            timestamptz NOT NULL,
            CHECK (NOT (deleted AND current))
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX request_key ON systemusers.request (system, party, external_ref, kind) WHERE current"
    )
    op.execute("CREATE INDEX request_system ON systemusers.request (system, kind, number) WHERE NOT deleted")
    op.execute("CREATE INDEX request_party ON systemusers.request (party, kind, number) WHERE NOT deleted")
    # The id is that of the request it came of. `owner` is the organisation's party UUID and `orgno` its number;
    # `packages` are what an agent may be given in a client, and none for a standard system user, whose rights access
    # management keeps. `sequence_no` is the version of the change feed at its last change.
    op.execute(
        """
        CREATE TABLE systemusers.system_user (
            system_user_id     uuid PRIMARY KEY,
            number             bigint GENERATED ALWAYS AS IDENTITY,
            kind               text NOT NULL CHECK (kind IN ('standard', 'agent')),
            system             uuid NOT NULL REFERENCES systemusers.system,
            owner              uuid NOT NULL,
            owner_party_id     integer NOT NULL,
            orgno              text NOT NULL CHECK (orgno ~ '^[0-9]{9}$'),
            external_ref       text NOT NULL,
            integration_title  text NOT NULL,
            packages           text[] NOT NULL,
            deleted            boolean NOT NULL DEFAULT false,
            created            timestamptz NOT NULL,
            changed            timestamptz NOT NULL,
            sequence_no        bigint NOT NULL DEFAULT 0,
            CHECK (kind = 'agent' OR packages = '{}')
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX system_user_key ON systemusers.system_user (system, orgno, external_ref) WHERE NOT deleted"
    )
    op.execute("CREATE INDEX system_user_orgno ON systemusers.system_user (system, orgno, number)")
    op.execute("CREATE INDEX system_user_owner ON systemusers.system_user (owner, kind, number) WHERE NOT deleted")
    op.execute("CREATE INDEX system_user_system ON systemusers.system_user (system, number) WHERE NOT deleted")
    op.execute("CREATE INDEX system_user_sequence ON systemusers.system_user (sequence_no)")
    op.execute(
        """
        CREATE TABLE systemusers.change_request (
            change_request_id  uuid PRIMARY KEY,
            number             bigint GENERATED ALWAYS AS IDENTITY,
            system_user_id     uuid NOT NULL REFERENCES systemusers.system_user,
            required_rights    jsonb NOT NULL,
            unwanted_rights    jsonb NOT NULL,
            required_packages  text[] NOT NULL,
            unwanted_packages  text[] NOT NULL,
            redirect_url       text NOT NULL,
            status             text NOT NULL CHECK (status IN ('New', 'Accepted', 'Rejected', 'Denied')),
            deleted            boolean NOT NULL DEFAULT false,
            created            timestamptz NOT NULL,
            changed            timestamptz NOT NULL
        )
        """
    )
    op.execute(
        "CREATE INDEX change_request_system_user ON systemusers.change_request (system_user_id, number)"
        " WHERE NOT deleted"
    )


def downgrade() -> None:
    op.execute("DROP TABLE systemusers.change_request")
    op.execute("DROP TABLE systemusers.system_user")
    op.execute("DROP TABLE systemusers.request")
