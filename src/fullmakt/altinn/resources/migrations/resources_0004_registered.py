"""When a resource was registered, and not just changed."""

from alembic import op

revision = "resources_0004"
down_revision = "resources_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE resources.resource ADD COLUMN registered timestamptz")
    op.execute(
        "UPDATE resources.resource r SET registered = COALESCE("
        "(SELECT min(v.created) FROM resources.version v WHERE v.identifier = r.identifier), r.changed)"
    )
    # The program of the release before does not name it.
    op.execute(
        "ALTER TABLE resources.resource ALTER COLUMN registered SET DEFAULT now(), ALTER COLUMN registered SET NOT NULL"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE resources.resource DROP COLUMN registered")
