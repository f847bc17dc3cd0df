"""The audit trail and the change feed."""

from alembic import op

revision = "infra_0001"
down_revision = None
branch_labels = ("infra",)
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA audit")
    # Partitioned by time from the first day: an operator detaches old months instead of deleting rows. The default
    # partition takes everything until one makes monthly ones (docs/how-to/operate.md).
    op.execute(
        """
        CREATE TABLE audit.event (
            id        bigint GENERATED ALWAYS AS IDENTITY,
            at        timestamptz NOT NULL,
            system    text NOT NULL,
            action    text NOT NULL,
            outcome   text NOT NULL,
            reason    text NOT NULL,
            trace_id  text NOT NULL,
            actor     text NOT NULL,
            subject   text NOT NULL,
            facts     jsonb NOT NULL
        ) PARTITION BY RANGE (at)
        """
    )
    op.execute("CREATE TABLE audit.event_default PARTITION OF audit.event DEFAULT")
    op.execute("CREATE INDEX event_trace_id ON audit.event (trace_id)")
    op.execute("CREATE INDEX event_at ON audit.event USING brin (at)")

    op.execute("CREATE SCHEMA feed")
    op.execute("CREATE TABLE feed.version (topic text PRIMARY KEY, version bigint NOT NULL)")
    op.execute(
        """
        CREATE TABLE feed.change (
            topic    text NOT NULL,
            version  bigint NOT NULL,
            key      text NOT NULL,
            PRIMARY KEY (topic, version, key)
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP SCHEMA feed CASCADE")
    op.execute("DROP SCHEMA audit CASCADE")
