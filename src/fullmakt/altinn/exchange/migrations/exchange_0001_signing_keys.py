"""The keys that sign Altinn's tokens."""

from alembic import op

revision = "exchange_0001"
down_revision = None
branch_labels = ("exchange",)
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA exchange")
    # The certificate's times decide which key signs; the private key is sealed under the master key.
    op.execute(
        """
        CREATE TABLE exchange.signing_key (
            thumbprint    text PRIMARY KEY CHECK (thumbprint ~ '^[0-9A-F]{40}$'),
            sealed        bytea NOT NULL,
            certificate   bytea NOT NULL,
            not_before    timestamptz NOT NULL,
            not_after     timestamptz NOT NULL,
            withdrawn_at  timestamptz
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP SCHEMA exchange CASCADE")
