"""The systems that vendors have registered."""

from alembic import op

revision = "systemusers_0001"
down_revision = None
branch_labels = ("systemusers",)
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA systemusers")
    # The row of a deleted system stays: its id is never given out again. `rights` is a list of objects with `resource`,
    # a list of `{id, value}`, and perhaps `action`.
    op.execute(
        """
        CREATE TABLE systemusers.system (
            internal_id    uuid PRIMARY KEY,
            system_id      text COLLATE "C" NOT NULL UNIQUE,
            vendor         text NOT NULL CHECK (vendor ~ '^[0-9]{9}$'),
            name           jsonb NOT NULL,
            description    jsonb NOT NULL,
            rights         jsonb NOT NULL,
            packages       text[] NOT NULL,
            redirect_urls  text[] NOT NULL,
            visible        boolean NOT NULL,
            deleted        boolean NOT NULL DEFAULT false,
            version        bigint NOT NULL DEFAULT 1,
            created        timestamptz NOT NULL,
            changed        timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX system_vendor ON systemusers.system (vendor, system_id)")
    # A client acts for one system at the most, however its id is spelled; `live` is false once the system is deleted,
    # and the client is free.
    op.execute(
        """
        CREATE TABLE systemusers.system_client (
            system     uuid NOT NULL REFERENCES systemusers.system,
            client_id  text COLLATE "C" NOT NULL,
            number     integer NOT NULL,
            live       boolean NOT NULL DEFAULT true,
            PRIMARY KEY (system, client_id)
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX system_client_live ON systemusers.system_client (lower(client_id)) WHERE live")
    op.execute(
        """
        CREATE TABLE systemusers.system_change (
            change_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            system       uuid NOT NULL REFERENCES systemusers.system,
            changed_by   text NOT NULL,
            client_id    text,
            change_type  text NOT NULL
                CHECK (change_type IN ('create', 'update', 'rightsupdate', 'accesspackageupdate', 'delete', 'unknown')),
            data         jsonb,
            created      timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX system_change_system ON systemusers.system_change (system, change_id)")


def downgrade() -> None:
    op.execute("DROP SCHEMA systemusers CASCADE")
