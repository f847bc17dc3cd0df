"""Rights and packages that one party has given another, connections, and delegation schemes."""

from alembic import op

revision = "delegations_0001"
down_revision = None
branch_labels = ("delegations",)
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA delegations")
    # What is withdrawn stays, as history; the partial indexes hold nothing but what is in force.
    op.execute(
        """
        CREATE TABLE delegations.delegation (
            delegation_id      uuid PRIMARY KEY,
            change_id          bigint GENERATED ALWAYS AS IDENTITY,
            giver              uuid NOT NULL,
            receiver           uuid NOT NULL,
            resource           text NOT NULL,
            actions            text[] NOT NULL CHECK (cardinality(actions) > 0),
            instance           text,
            given_by           uuid NOT NULL,
            passed_on_from     uuid REFERENCES delegations.delegation,
            consumer           text CHECK (consumer ~ '^[0-9]{9}$'),
            supplier           text CHECK (supplier ~ '^[0-9]{9}$'),
            performed_by       text NOT NULL,
            performed_by_user  bigint,
            created            timestamptz NOT NULL,
            changed            timestamptz NOT NULL,
            revoked            timestamptz,
            CHECK (giver <> receiver),
            CHECK ((passed_on_from IS NULL) = (given_by = giver)),
            CHECK ((consumer IS NULL) = (supplier IS NULL))
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX delegation_in_force ON delegations.delegation"
        " (receiver, giver, resource, instance, passed_on_from) NULLS NOT DISTINCT WHERE revoked IS NULL"
    )
    op.execute("CREATE INDEX delegation_giver ON delegations.delegation (giver, resource) WHERE revoked IS NULL")
    op.execute(
        "CREATE INDEX delegation_passed_on_from ON delegations.delegation (passed_on_from) WHERE revoked IS NULL"
    )
    for first, second in (("supplier", "consumer"), ("consumer", "supplier")):
        op.execute(
            f"CREATE INDEX delegation_{first} ON delegations.delegation ({first}, {second}, resource)"
            f" WHERE revoked IS NULL AND {first} IS NOT NULL"
        )
    op.execute("CREATE INDEX delegation_resource ON delegations.delegation (resource) WHERE revoked IS NULL")

    op.execute(
        """
        CREATE TABLE delegations.connection (
            connection_id  uuid PRIMARY KEY,
            giver          uuid NOT NULL,
            receiver       uuid NOT NULL,
            role           text NOT NULL,
            performed_by   text NOT NULL,
            created        timestamptz NOT NULL,
            UNIQUE (giver, role, receiver),
            CHECK (giver <> receiver)
        )
        """
    )
    op.execute("CREATE INDEX connection_receiver ON delegations.connection (receiver, role)")

    op.execute(
        """
        CREATE TABLE delegations.package (
            delegation_id  uuid PRIMARY KEY,
            giver          uuid NOT NULL,
            receiver       uuid NOT NULL,
            package        text NOT NULL,
            performed_by   text NOT NULL,
            created        timestamptz NOT NULL,
            revoked        timestamptz,
            CHECK (giver <> receiver)
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX package_in_force ON delegations.package (receiver, giver, package) WHERE revoked IS NULL"
    )
    op.execute("CREATE INDEX package_giver ON delegations.package (giver) WHERE revoked IS NULL")

    op.execute(
        """
        CREATE TABLE delegations.scheme (
            scheme_id  uuid PRIMARY KEY,
            owner      text NOT NULL CHECK (owner ~ '^[0-9]{9}$'),
            document   jsonb NOT NULL,
            created    timestamptz NOT NULL,
            changed    timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX scheme_owner ON delegations.scheme (owner)")


def downgrade() -> None:
    op.execute("DROP SCHEMA delegations CASCADE")
