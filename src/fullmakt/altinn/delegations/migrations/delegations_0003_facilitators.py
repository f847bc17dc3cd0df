"""Packages that a facilitator gives its agents of its clients'."""

from alembic import op

revision = "delegations_0003"
down_revision = "delegations_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # `via` is the organisation that gave what it holds in `giver`; the entry counts as long as it holds it there.
    op.execute(
        "ALTER TABLE delegations.package ADD COLUMN via uuid, ADD CHECK (via <> receiver), ADD CHECK (via <> giver)"
    )
    op.execute("CREATE INDEX package_via ON delegations.package (via) WHERE revoked IS NULL AND via IS NOT NULL")


def downgrade() -> None:
    op.execute("DELETE FROM delegations.package WHERE via IS NOT NULL")
    op.execute("ALTER TABLE delegations.package DROP COLUMN via")
