"""Access lists, their members, and the resources that they are connected to."""

from alembic import op

revision = "resources_0002"
down_revision = "resources_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The row of a deleted list stays: should the list be made again, its versions go on from where they were, and an
    # ETag of the old one does not pass for one of the new.
    op.execute(
        """
        CREATE TABLE resources.access_list (
            id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            owner        text NOT NULL CHECK (owner = lower(owner)),
            identifier   text COLLATE "C" NOT NULL,
            name         text NOT NULL,
            description  text NOT NULL,
            created      timestamptz NOT NULL,
            updated      timestamptz NOT NULL,
            version      bigint NOT NULL,
            deleted      boolean NOT NULL DEFAULT false,
            UNIQUE (owner, identifier)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE resources.access_list_member (
            list_id     bigint NOT NULL REFERENCES resources.access_list,
            party_uuid  uuid NOT NULL,
            since       timestamptz NOT NULL,
            PRIMARY KEY (list_id, party_uuid)
        )
        """
    )
    op.execute("CREATE INDEX access_list_member_party ON resources.access_list_member (party_uuid)")
    op.execute(
        """
        CREATE TABLE resources.access_list_connection (
            list_id   bigint NOT NULL REFERENCES resources.access_list,
            resource  text COLLATE "C" NOT NULL,
            actions   text[] NOT NULL,
            created   timestamptz NOT NULL,
            updated   timestamptz NOT NULL,
            PRIMARY KEY (list_id, resource)
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE resources.access_list_connection, resources.access_list_member, resources.access_list")
