"""Consents, their rights, and what has happened to them."""

from alembic import op

revision = "consents_0001"
down_revision = None
branch_labels = ("consents",)
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA consents")
    # Parties are party UUIDs. `opened_at` is Altinn 2's alone. `shown` is what the page showed to whoever accepted.
    # `migrated` is when Altinn 3 took over a consent of Altinn 2's form. `number` orders pages.
    op.execute(
        """
        CREATE TABLE consents.consent (
            consent_id          uuid PRIMARY KEY,
            number              bigint GENERATED ALWAYS AS IDENTITY,
            form                text NOT NULL CHECK (form IN ('altinn2', 'altinn3')),
            giver               uuid NOT NULL,
            receiver            uuid NOT NULL,
            handled_by          uuid,
            required_delegator  uuid,
            created_by          uuid NOT NULL,
            valid_to            timestamptz NOT NULL,
            message             json NOT NULL,
            redirect_url        text NOT NULL,
            notification_url    text NOT NULL,
            portal_view_mode    text NOT NULL CHECK (portal_view_mode IN ('Hide', 'Show')),
            template_id         text NOT NULL,
            template_version    integer,
            one_time            boolean NOT NULL,
            status              text NOT NULL
                CHECK (status IN ('Created', 'Rejected', 'Accepted', 'Revoked', 'Deleted')),
            created             timestamptz NOT NULL,
            opened_at           timestamptz,
            answered_at         timestamptz,
            answered_by         uuid,
            language            text NOT NULL,
            shown               jsonb NOT NULL,
            ended_at            timestamptz,
            end_reason          text CHECK (end_reason IN ('revoked', 'given_up', 'used_up')),
            migrated            timestamptz,
            last_changed        timestamptz NOT NULL,
            CHECK ((status IN ('Created', 'Deleted')) = (answered_at IS NULL)),
            CHECK ((status = 'Revoked') = (end_reason IS NOT NULL)),
            CHECK ((status IN ('Revoked', 'Deleted')) = (ended_at IS NOT NULL))
        )
        """
    )
    op.execute("CREATE INDEX consent_giver ON consents.consent (giver, number)")
    op.execute("CREATE INDEX consent_receiver ON consents.consent (receiver, number)")
    op.execute("CREATE INDEX consent_handled_by ON consents.consent (handled_by, number) WHERE handled_by IS NOT NULL")
    # `agreed` is when the consent was accepted, or ended after that, last: NULL as long as its owner is not told of it.
    op.execute(
        """
        CREATE TABLE consents.consent_right (
            consent_id        uuid NOT NULL REFERENCES consents.consent,
            place             integer NOT NULL,
            resource          text NOT NULL,
            resource_version  integer,
            actions           text[] NOT NULL,
            metadata          json NOT NULL,
            agreed            timestamptz,
            PRIMARY KEY (consent_id, place)
        )
        """
    )
    op.execute(
        "CREATE INDEX consent_right_agreed ON consents.consent_right (resource, agreed, consent_id)"
        " WHERE agreed IS NOT NULL"
    )
    # `event_id` is a UUID version 7, so that it orders events by time. `in_feed` are those that Altinn 3 tells
    # receivers of: all but what happened in Altinn 2.
    op.execute(
        """
        CREATE TABLE consents.consent_event (
            event_id      uuid PRIMARY KEY,
            consent_id    uuid NOT NULL REFERENCES consents.consent,
            receiver      uuid NOT NULL,
            type          text NOT NULL
                CHECK (type IN ('Created', 'Opened', 'Rejected', 'Accepted', 'Revoked', 'Deleted', 'Used')),
            created       timestamptz NOT NULL,
            performed_by  uuid NOT NULL,
            in_feed       boolean NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX consent_event_consent ON consents.consent_event (consent_id, event_id)")
    op.execute("CREATE INDEX consent_event_feed ON consents.consent_event (receiver, event_id) WHERE in_feed")
    op.execute("CREATE INDEX consent_event_type ON consents.consent_event (receiver, type, event_id) WHERE in_feed")
    # What receivers are told of answers, until they have taken it: `due` is when it is sent next, NULL when it has been
    # taken or given up.
    op.execute(
        """
        CREATE TABLE consents.notification (
            notification_id  uuid PRIMARY KEY,
            consent_id       uuid NOT NULL REFERENCES consents.consent,
            url              text NOT NULL,
            event            jsonb NOT NULL,
            created          timestamptz NOT NULL,
            attempts         integer NOT NULL DEFAULT 0,
            due              timestamptz,
            outcome          text NOT NULL DEFAULT ''
        )
        """
    )
    op.execute("CREATE INDEX notification_due ON consents.notification (due) WHERE due IS NOT NULL")


def downgrade() -> None:
    op.execute("DROP SCHEMA consents CASCADE")
