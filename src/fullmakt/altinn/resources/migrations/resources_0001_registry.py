"""Resources with their versions, policies and subjects, and the service owners."""

from alembic import op

revision = "resources_0001"
down_revision = None
branch_labels = ("resources",)
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA resources")
    # One row a resource, for look-ups; what it said in each version is in resources.version, for good. A deleted
    # resource keeps its row, so that one of the same name goes on counting where it left off.
    op.execute(
        """
        CREATE TABLE resources.resource (
            identifier            text PRIMARY KEY,
            version_id            integer NOT NULL,
            document              jsonb NOT NULL,
            resource_type         text NOT NULL,
            owner_orgno           text CHECK (owner_orgno ~ '^[0-9]{9}$'),
            owner_code            text NOT NULL,
            delegable             boolean NOT NULL,
            visible               boolean NOT NULL,
            access_list_enabled   boolean NOT NULL,
            scopes                text[] NOT NULL,
            delegation_scheme_id  text,
            policy_version        integer NOT NULL DEFAULT 0,
            deleted               boolean NOT NULL DEFAULT false,
            changed               timestamptz NOT NULL,
            change_id             bigint NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX resource_scopes ON resources.resource USING gin (scopes) WHERE NOT deleted")
    op.execute("CREATE INDEX resource_type ON resources.resource (resource_type) WHERE NOT deleted")
    op.execute("CREATE INDEX resource_owner_code ON resources.resource (owner_code) WHERE NOT deleted")
    op.execute("CREATE UNIQUE INDEX resource_change_id ON resources.resource (change_id)")
    op.execute(
        """
        CREATE TABLE resources.version (
            identifier  text NOT NULL REFERENCES resources.resource,
            version_id  integer NOT NULL,
            document    jsonb NOT NULL,
            created     timestamptz NOT NULL,
            PRIMARY KEY (identifier, version_id)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE resources.policy (
            identifier      text NOT NULL REFERENCES resources.resource,
            policy_version  integer NOT NULL,
            xml             bytea NOT NULL,
            report          jsonb NOT NULL,
            created         timestamptz NOT NULL,
            PRIMARY KEY (identifier, policy_version)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE resources.subject (
            identifier  text NOT NULL REFERENCES resources.resource,
            type        text NOT NULL,
            value       text NOT NULL,
            deleted     boolean NOT NULL DEFAULT false,
            updated     timestamptz NOT NULL,
            PRIMARY KEY (identifier, type, value)
        )
        """
    )
    op.execute("CREATE INDEX subject_urn ON resources.subject ((type || ':' || value)) WHERE NOT deleted")
    op.execute("CREATE INDEX subject_updated ON resources.subject (updated, identifier, type, value)")
    op.execute(
        """
        CREATE TABLE resources.service_owner (
            code          text PRIMARY KEY,
            orgno         text NOT NULL CHECK (orgno ~ '^[0-9]{9}$'),
            name          jsonb NOT NULL,
            homepage      text,
            logo          text,
            environments  text[] NOT NULL
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP SCHEMA resources CASCADE")
