"""Policies that may permit something to subjects they do not name."""

from alembic import op

revision = "resources_0003"
down_revision = "resources_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nobody has asked it of a policy that is here already, or comes from the release before: searches look at those.
    op.execute("ALTER TABLE resources.policy ADD COLUMN permits_unnamed boolean NOT NULL DEFAULT true")
    op.execute("CREATE INDEX policy_permits_unnamed ON resources.policy (identifier) WHERE permits_unnamed")


def downgrade() -> None:
    op.execute("ALTER TABLE resources.policy DROP COLUMN permits_unnamed")
