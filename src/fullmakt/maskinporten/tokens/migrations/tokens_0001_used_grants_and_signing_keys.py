"""The grants that have been used, and the keys that sign tokens."""

from alembic import op

revision = "tokens_0001"
down_revision = None
branch_labels = ("tokens",)
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA tokens")
    # claim: a 16-byte hash over client and jti. Rows come in the order of expires_at, more or less, and are deleted in
    # that order, so a BRIN index finds the dead ones at next to no cost for each insert.
    op.execute("CREATE TABLE tokens.used_grant (claim bytea PRIMARY KEY, expires_at bigint NOT NULL)")
    op.execute("CREATE INDEX used_grant_expires_at ON tokens.used_grant USING brin (expires_at)")
    op.execute(
        """
        CREATE TABLE tokens.signing_key (
            kid          text PRIMARY KEY,
            alg          text NOT NULL,
            sealed       bytea NOT NULL,
            certificate  bytea NOT NULL,
            publish_from timestamptz NOT NULL,
            sign_from    timestamptz NOT NULL
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP SCHEMA tokens CASCADE")
