"""Signing keys that were taken back."""

from alembic import op

revision = "tokens_0002"
down_revision = "tokens_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE tokens.signing_key ADD COLUMN withdrawn_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE tokens.signing_key DROP COLUMN withdrawn_at")
