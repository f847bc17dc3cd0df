"""What is asked for by how consents stand: owners ask for those that have ended, givers and receivers by status."""

from alembic import op

revision = "consents_0004"
down_revision = "consents_0003"
branch_labels = None
depends_on = None

_STATE = (
    "(CASE WHEN status = 'Created' AND opened_at IS NOT NULL THEN 'Opened'"
    " WHEN status = 'Revoked' THEN 'Accepted' ELSE status END)"
)
_LISTED = "WHERE form = 'altinn2' AND status <> 'Deleted'"


def upgrade() -> None:
    # `revoked` is kept beside `agreed`, for the order of the list of those that have ended.
    op.execute("ALTER TABLE consents.consent_right ADD COLUMN revoked boolean NOT NULL DEFAULT false")
    op.execute(
        "UPDATE consents.consent_right r SET revoked = true FROM consents.consent c"
        " WHERE c.consent_id = r.consent_id AND c.status = 'Revoked'"
    )
    op.execute(
        "CREATE INDEX consent_right_revoked ON consents.consent_right (resource, agreed, consent_id) WHERE revoked"
    )
    for side in ("receiver", "handled_by", "giver"):
        op.execute(
            f"CREATE INDEX consent_altinn2_{side}_state ON consents.consent"
            f" ({side}, {_STATE}, last_changed, consent_id) {_LISTED}"
        )
    op.execute(
        "CREATE INDEX consent_giver_shown ON consents.consent (giver, status, valid_to) WHERE portal_view_mode = 'Show'"
    )


def downgrade() -> None:
    op.execute("DROP INDEX consents.consent_giver_shown")
    for side in ("receiver", "handled_by", "giver"):
        op.execute(f"DROP INDEX consents.consent_altinn2_{side}_state")
    op.execute("ALTER TABLE consents.consent_right DROP COLUMN revoked")
