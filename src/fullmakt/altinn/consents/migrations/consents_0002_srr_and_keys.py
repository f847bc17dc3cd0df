"""Services of Altinn 2, the entries of SRR, and API keys."""

from alembic import op

revision = "consents_0002_srr_and_keys"
down_revision = "consents_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A service edition of Altinn 2 and its resource. `uses_srr` is NULL until somebody says so, or makes an entry: from
    # then on it is true, also when the last entry has gone.
    op.execute(
        """
        CREATE TABLE consents.service (
            resource   text COLLATE "C" PRIMARY KEY,
            code       text COLLATE "C" NOT NULL,
            edition    integer NOT NULL CHECK (edition >= 0),
            uses_srr   boolean,
            one_time   boolean,
            min_level  smallint CHECK (min_level BETWEEN 2 AND 4),
            changed    timestamptz NOT NULL,
            UNIQUE (code, edition)
        )
        """
    )
    # `reportee` is an organisation or a person; `condition` as it is written on the wire, without what is not said.
    op.execute(
        """
        CREATE TABLE consents.srr_entry (
            entry_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            resource   text COLLATE "C" NOT NULL REFERENCES consents.service,
            reportee   text NOT NULL CHECK (reportee ~ '^([0-9]{9}|[0-9]{11})$'),
            "right"    text NOT NULL
                CHECK ("right" IN ('None', 'Read', 'Write', 'Access', 'Sign', 'ArchiveRead', 'ArchiveDelete')),
            valid_to   timestamptz NOT NULL,
            condition  jsonb,
            created    timestamptz NOT NULL,
            changed    timestamptz NOT NULL,
            UNIQUE (resource, reportee, "right")
        )
        """
    )
    # What is kept of a secret is its SHA-256: it is 122 random bits, which no dictionary holds. The row of a key that
    # was withdrawn stays, so that its secret is never taken into use again.
    op.execute(
        """
        CREATE TABLE consents.api_key (
            key_id         uuid PRIMARY KEY,
            name           text COLLATE "C" NOT NULL,
            secret_hash    bytea NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
            organisation   text NOT NULL CHECK (organisation ~ '^[0-9]{9}$'),
            domains        text[] NOT NULL,
            service_owner  boolean NOT NULL,
            created        timestamptz NOT NULL,
            changed        timestamptz NOT NULL,
            revoked        timestamptz
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX api_key_name ON consents.api_key (name) WHERE revoked IS NULL")


def downgrade() -> None:
    op.execute("DROP TABLE consents.api_key")
    op.execute("DROP TABLE consents.srr_entry")
    op.execute("DROP TABLE consents.service")
