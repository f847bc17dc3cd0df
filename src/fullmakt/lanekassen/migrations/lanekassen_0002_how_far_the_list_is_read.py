"""How far the owner's list of ended consents has been read, for a source that starts anew."""

from alembic import op

revision = "lanekassen_0002"
down_revision = "lanekassen_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE lanekassen.list_read (list text PRIMARY KEY, continuation text NOT NULL)")


def downgrade() -> None:
    op.execute("DROP TABLE lanekassen.list_read")
