"""PostgreSQL, migrations, the change feed, audit, HTTP plumbing and telemetry."""
