"""What the lists of requests of Altinn 2's form go by."""

from alembic import op

revision = "consents_0003"
down_revision = "consents_0002_srr_and_keys"
branch_labels = None
depends_on = None

_LISTED = "WHERE form = 'altinn2' AND status <> 'Deleted'"


def upgrade() -> None:
    for side in ("receiver", "handled_by", "giver"):
        op.execute(
            f"CREATE INDEX consent_altinn2_{side} ON consents.consent ({side}, last_changed, consent_id) {_LISTED}"
        )


def downgrade() -> None:
    for side in ("receiver", "handled_by", "giver"):
        op.execute(f"DROP INDEX consents.consent_altinn2_{side}")
