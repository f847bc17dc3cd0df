"""The consents that Lånekassen remembers, and those that it has heard the end of."""

from alembic import op

revision = "lanekassen_0001"
down_revision = None
branch_labels = ("lanekassen",)
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA lanekassen")
    op.execute(
        """
        CREATE TABLE lanekassen.consent (
            receiver    text NOT NULL,
            giver       text NOT NULL,
            service     text NOT NULL,
            consent_id  uuid NOT NULL,
            handled_by  text,
            given_at    timestamptz,
            valid_to    timestamptz NOT NULL,
            metadata    jsonb NOT NULL,
            PRIMARY KEY (receiver, giver, service)
        )
        """
    )
    op.execute("CREATE INDEX consent_id ON lanekassen.consent (consent_id)")
    op.execute("CREATE INDEX consent_valid_to ON lanekassen.consent (valid_to)")
    op.execute("CREATE TABLE lanekassen.ended_consent (consent_id uuid PRIMARY KEY, heard timestamptz NOT NULL)")


def downgrade() -> None:
    op.execute("DROP SCHEMA lanekassen CASCADE")
