"""SRR's list of a service is read by the page."""

from alembic import op

revision = "consents_0006"
down_revision = "consents_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX srr_entry_page ON consents.srr_entry (resource, entry_id)")


def downgrade() -> None:
    op.execute("DROP INDEX consents.srr_entry_page")
