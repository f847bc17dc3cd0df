"""Certificate authorities, the certificates they issued, and their revocation lists."""

from alembic import op

revision = "pki_0001"
down_revision = None
branch_labels = ("pki",)
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA pki")
    op.execute(
        """
        CREATE TABLE pki.authority (
            name         text PRIMARY KEY,
            certificate  bytea NOT NULL,
            sealed_key   bytea NOT NULL,
            created_at   timestamptz NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE pki.certificate (
            serial      text PRIMARY KEY CHECK (serial ~ '^([0-9A-F]{2}){1,20}$'),
            authority   text NOT NULL REFERENCES pki.authority,
            orgno       text NOT NULL,
            subject     text NOT NULL,
            not_before  timestamptz NOT NULL,
            not_after   timestamptz NOT NULL,
            issued_at   timestamptz NOT NULL,
            revoked_at  timestamptz
        )
        """
    )
    op.execute("CREATE INDEX certificate_issued ON pki.certificate (issued_at, serial)")
    op.execute("CREATE INDEX certificate_revoked ON pki.certificate (authority) WHERE revoked_at IS NOT NULL")
    # The list itself is kept, not made anew by each node: two lists of one number must not differ (RFC 5280 §5.2.3).
    op.execute(
        """
        CREATE TABLE pki.crl (
            authority    text PRIMARY KEY REFERENCES pki.authority,
            number       bigint NOT NULL,
            der          bytea NOT NULL,
            this_update  timestamptz NOT NULL,
            next_update  timestamptz NOT NULL
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP SCHEMA pki CASCADE")
