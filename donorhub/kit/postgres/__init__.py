"""A PostgreSQL of one's own: started where no DATABASE_URL is given, for a demo or a test run."""

from donorhub.kit.postgres.cluster import PostgresStartFailed
from donorhub.kit.postgres.programs import PostgresMissing
from donorhub.kit.postgres.server import PostgresServer, ensure_database, temporary_server

__all__ = [
    "PostgresMissing",
    "PostgresServer",
    "PostgresStartFailed",
    "ensure_database",
    "temporary_server",
]
