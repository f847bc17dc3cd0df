"""User ids, by which tokens and policies know a person; and what one holds in another found at once."""

from alembic import op

revision = "parties_0002"
down_revision = "parties_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A sequence of its own, and no identity column: organisations have none.
    op.execute("CREATE SEQUENCE parties.user_id AS integer START WITH 20000001")
    op.execute("ALTER TABLE parties.party ADD COLUMN user_id integer UNIQUE")
    op.execute(
        """
        UPDATE parties.party p SET user_id = 20000000 + numbered.place
        FROM (SELECT party_id, row_number() OVER (ORDER BY party_id) AS place
              FROM parties.party WHERE national_id IS NOT NULL) numbered
        WHERE numbered.party_id = p.party_id
        """
    )
    op.execute("SELECT setval('parties.user_id', 20000000 + count(*) + 1, false) FROM parties.party WHERE user_id > 0")
    op.execute(
        "ALTER TABLE parties.party ADD CONSTRAINT party_user_id CHECK ((user_id IS NULL) = (national_id IS NULL))"
    )
    # An accountant has a role in tens of thousands of clients: by holder alone, one client's would be sought among all.
    op.execute("DROP INDEX parties.role_holder_id")
    op.execute("CREATE INDEX role_holder_id ON parties.role (holder_id, organisation_id)")


def downgrade() -> None:
    op.execute("DROP INDEX parties.role_holder_id")
    op.execute("CREATE INDEX role_holder_id ON parties.role (holder_id)")
    op.execute("ALTER TABLE parties.party DROP COLUMN user_id")
    op.execute("DROP SEQUENCE parties.user_id")
