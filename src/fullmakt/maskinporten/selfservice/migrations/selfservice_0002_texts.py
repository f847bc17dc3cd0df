"""How many texts were sent of late, so that nobody is flooded with them."""

from alembic import op

revision = "selfservice_0002"
down_revision = "selfservice_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # `counted` is `client:<id>` or `phone:<bucket>`: a bucket stands for many numbers, so that none is kept.
    op.execute(
        """
        CREATE TABLE selfservice.text_count (
            counted  text PRIMARY KEY,
            since    timestamptz NOT NULL,
            texts    integer NOT NULL CHECK (texts >= 0)
        )
        """
    )
    op.execute("CREATE INDEX text_count_since ON selfservice.text_count (since)")


def downgrade() -> None:
    op.execute("DROP TABLE selfservice.text_count")
