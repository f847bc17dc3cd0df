"""What the lists of one service go by: those of requests in Altinn 2's form, and owners' lists of what stands."""

from alembic import op

revision = "consents_0005"
down_revision = "consents_0004"
branch_labels = None
depends_on = None

_REPEATED = {"giver": "uuid", "receiver": "uuid", "handled_by": "uuid", "state": "text", "changed": "timestamptz"}
_STATE = (
    "(CASE WHEN c.status = 'Created' AND c.opened_at IS NOT NULL THEN 'Opened'"
    " WHEN c.status = 'Revoked' THEN 'Accepted' ELSE c.status END)"
)
_LISTS = {
    "receiver": ("receiver", ""),
    "handled_by": ("handled_by", " AND handled_by IS NOT NULL"),
    "supplier": ("handled_by, receiver", " AND handled_by IS NOT NULL"),
    "giver": ("giver", ""),
}


def upgrade() -> None:
    # Whose the consent is and how it stands is repeated here, for Altinn 2's form alone; `state` is NULL when the
    # consent is in no list. Only then can a service be looked for by an index in the order of the list.
    for name, kind in _REPEATED.items():
        op.execute(f"ALTER TABLE consents.consent_right ADD COLUMN {name} {kind}")
    op.execute(
        "UPDATE consents.consent_right r SET giver = c.giver, receiver = c.receiver, handled_by = c.handled_by,"  # noqa: S608
        f" state = CASE WHEN c.status <> 'Deleted' THEN {_STATE} END,"
        " changed = CASE WHEN c.status <> 'Deleted' THEN c.last_changed END"
        " FROM consents.consent c WHERE c.consent_id = r.consent_id AND c.form = 'altinn2'"
    )
    for name, (parties, also) in _LISTS.items():
        op.execute(
            f"CREATE INDEX consent_right_of_{name} ON consents.consent_right"
            f" ({parties}, resource, state, changed, consent_id) WHERE state IS NOT NULL{also}"
        )
    op.execute(
        "CREATE INDEX consent_right_standing ON consents.consent_right (resource, agreed, consent_id)"
        " WHERE agreed IS NOT NULL AND NOT revoked"
    )


def downgrade() -> None:
    op.execute("DROP INDEX consents.consent_right_standing")
    for name in _LISTS:
        op.execute(f"DROP INDEX consents.consent_right_of_{name}")
    for name in _REPEATED:
        op.execute(f"ALTER TABLE consents.consent_right DROP COLUMN {name}")
