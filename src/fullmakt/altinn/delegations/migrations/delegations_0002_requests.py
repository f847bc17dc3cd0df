"""Requests for access, of both generations."""

from alembic import op

revision = "delegations_0002"
down_revision = "delegations_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # `receiver` is who needs access, `giver` who can give it; `owner` the service owner that made the request, NULL for
    # one that its receiver made. `sent` is when the giver could first see it.
    op.execute(
        """
        CREATE TABLE delegations.request (
            request_id          uuid PRIMARY KEY,
            receiver            uuid NOT NULL,
            giver               uuid NOT NULL,
            resources           text[] NOT NULL,
            package             text,
            actions             text[] NOT NULL,
            owner               text CHECK (owner ~ '^[0-9]{9}$'),
            status              text NOT NULL
                CHECK (status IN ('Draft', 'Pending', 'Approved', 'Rejected', 'Withdrawn')),
            redirect_url        text NOT NULL,
            message             text NOT NULL,
            keep_session_alive  boolean NOT NULL,
            created             timestamptz NOT NULL,
            changed             timestamptz NOT NULL,
            changed_by          uuid,
            sent                timestamptz,
            CHECK (receiver <> giver),
            CHECK ((cardinality(resources) = 0) = (package IS NOT NULL)),
            CHECK (status NOT IN ('Pending', 'Approved', 'Rejected') OR sent IS NOT NULL)
        )
        """
    )
    # Whoever asks again, while the answer is out, has asked once.
    op.execute(
        "CREATE UNIQUE INDEX request_open ON delegations.request (receiver, giver, resources, package, actions, owner)"
        " NULLS NOT DISTINCT WHERE status IN ('Draft', 'Pending')"
    )
    op.execute("CREATE INDEX request_receiver ON delegations.request (receiver, created, request_id)")
    op.execute("CREATE INDEX request_giver ON delegations.request (giver, created, request_id) WHERE sent IS NOT NULL")
    op.execute("CREATE INDEX request_owner ON delegations.request (owner, created, request_id) WHERE owner IS NOT NULL")


def downgrade() -> None:
    op.execute("DROP TABLE delegations.request")
