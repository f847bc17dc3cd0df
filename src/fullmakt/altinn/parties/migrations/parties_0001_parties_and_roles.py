"""Organisations, people and roles."""

from alembic import op

revision = "parties_0001"
down_revision = None
branch_labels = ("parties",)
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA parties")
    # One table, since a party is what roles, delegations and messages refer to, be it an organisation or a person.
    op.execute(
        """
        CREATE TABLE parties.party (
            party_id      integer GENERATED ALWAYS AS IDENTITY (START WITH 50000001) PRIMARY KEY,
            party_uuid    uuid NOT NULL UNIQUE,
            orgno         text UNIQUE CHECK (orgno ~ '^[0-9]{9}$'),
            national_id   text UNIQUE CHECK (national_id ~ '^[0-9]{11}$'),
            name          text NOT NULL,
            form          text,
            parent_id     integer REFERENCES parties.party,
            created       timestamptz NOT NULL,
            last_updated  timestamptz NOT NULL,
            CHECK ((orgno IS NULL) <> (national_id IS NULL)),
            CHECK ((orgno IS NULL) = (form IS NULL)),
            CHECK (parent_id IS NULL OR orgno IS NOT NULL)
        )
        """
    )
    op.execute("CREATE INDEX party_parent_id ON parties.party (parent_id) WHERE parent_id IS NOT NULL")
    op.execute(
        """
        CREATE TABLE parties.role (
            organisation_id  integer NOT NULL REFERENCES parties.party,
            code             text NOT NULL,
            holder_id        integer NOT NULL REFERENCES parties.party,
            created          timestamptz NOT NULL,
            PRIMARY KEY (organisation_id, code, holder_id)
        )
        """
    )
    op.execute("CREATE INDEX role_holder_id ON parties.role (holder_id)")


def downgrade() -> None:
    op.execute("DROP SCHEMA parties CASCADE")
