"""What the rest of the API keeps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from argosy.db.migrations.repeatable import add_column

revision = "0002"
down_revision = "0001"

BODY = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
INDICES = (
    ("instances_configured", "instances", ["configuration_id", "id"]),
    ("instances_recent", "instances", ["updated", "id", "deleted"]),
    ("guests_counted", "guests", ["health", "connected"]),
    ("runs_counted", "runs", ["workflow", "state"]),
)
"""Of tables that were there before."""


def upgrade() -> None:
    op.create_table(
        "backup_strategies",
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("container", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "instance_id"),
        if_not_exists=True,
    )
    op.create_table(
        "backups",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", BODY, nullable=True),
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("parent_id", sa.String(length=36), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("size", sa.Double(), nullable=True),
        sa.Column("storage_driver", sa.String(length=16), nullable=False),
        sa.Column("container", sa.String(length=255), nullable=False),
        sa.Column("location", BODY, nullable=True),
        sa.Column("fault", BODY, nullable=True),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        if_not_exists=True,
    )
    op.create_index(
        "backups_of_instance", "backups", ["instance_id", "project_id", "updated", "id"], if_not_exists=True
    )
    op.create_index("backups_recent", "backups", ["updated", "id"], unique=False, if_not_exists=True)
    op.create_index("backups_page", "backups", ["project_id", "updated", "id"], unique=False, if_not_exists=True)
    op.create_table(
        "certificates",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("shown", BODY, nullable=False),
        sa.Column("authority", sa.String(length=64), nullable=False),
        sa.Column("brought", sa.LargeBinary(1_000_000), nullable=True),
        sa.Column("clients", sa.LargeBinary(1_000_000), nullable=True),
        sa.Column("previous_mode", sa.String(length=16), nullable=True),
        sa.Column("previous", sa.LargeBinary(1_000_000), nullable=True),
        sa.Column("told", sa.Integer(), nullable=True),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id"),
        if_not_exists=True,
    )
    op.create_table(
        "configurations",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", BODY, nullable=True),
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        if_not_exists=True,
    )
    op.create_index("configurations_page", "configurations", ["project_id", "id"], unique=False, if_not_exists=True)
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        if_not_exists=True,
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("instance_id", sa.String(length=36), nullable=True),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("actor_project", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
        if_not_exists=True,
    )
    op.create_index("events_of_instance", "events", ["instance_id", "project_id", "seq"], if_not_exists=True)
    op.create_index("events_of_kind", "events", ["project_id", "kind", "seq"], unique=False, if_not_exists=True)
    op.create_index("events_of_project", "events", ["project_id", "seq"], unique=False, if_not_exists=True)
    op.create_table(
        "guest_logs",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=True),
        sa.Column("container", sa.String(length=255), nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "name"),
        if_not_exists=True,
    )
    op.create_table(
        "log_objects",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("log", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=255), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "log", "name"),
        if_not_exists=True,
    )
    op.create_index("ix_log_objects_created", "log_objects", ["created"], unique=False, if_not_exists=True)
    op.create_table(
        "instance_modules",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("module_id", sa.String(length=36), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("message", BODY, nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "module_id"),
        if_not_exists=True,
    )
    op.create_index("instance_modules_page", "instance_modules", ["module_id", "instance_id"], if_not_exists=True)
    op.create_table(
        "instance_tags",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "name"),
        if_not_exists=True,
    )
    op.create_index(
        "instance_tags_page", "instance_tags", ["project_id", "name", "value", "instance_id"], if_not_exists=True
    )
    op.create_table(
        "modules",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("description", BODY, nullable=True),
        sa.Column("contents", sa.LargeBinary(1_000_000), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("datastore_id", sa.String(length=36), nullable=True),
        sa.Column("version_id", sa.String(length=36), nullable=True),
        sa.Column("auto_apply", sa.Boolean(), nullable=False),
        sa.Column("visible", sa.Boolean(), nullable=False),
        sa.Column("live_update", sa.Boolean(), nullable=False),
        sa.Column("priority_apply", sa.Boolean(), nullable=False),
        sa.Column("apply_order", sa.Integer(), nullable=False),
        sa.Column("full_access", sa.Boolean(), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        if_not_exists=True,
    )
    op.create_index("ix_modules_project_id", "modules", ["project_id"], unique=False, if_not_exists=True)
    op.create_table(
        "parameters",
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("data_type", sa.String(length=16), nullable=False),
        sa.Column("minimum", sa.Double(), nullable=True),
        sa.Column("maximum", sa.Double(), nullable=True),
        sa.Column("restart_required", sa.Boolean(), nullable=False),
        sa.Column("baseline", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", "name"),
        if_not_exists=True,
    )
    op.create_table(
        "version_flavors",
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("flavor_id", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("version_id", "flavor_id"),
        if_not_exists=True,
    )
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("url", BODY, nullable=False),
        sa.Column("secret", sa.LargeBinary(1_000_000), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.Double(), nullable=True),
        sa.Column("fault", BODY, nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        if_not_exists=True,
    )
    op.create_index("ix_webhooks_project_id", "webhooks", ["project_id"], unique=False, if_not_exists=True)
    add_column("datastore_versions", sa.Column("withdrawn", sa.Boolean(), nullable=False), existing="false")
    add_column("datastore_versions", sa.Column("registered", sa.Boolean(), nullable=False), existing="false")
    add_column("datastore_versions", sa.Column("manager", sa.String(length=64), nullable=False), existing="''")
    add_column("datastore_versions", sa.Column("image", sa.String(length=36), nullable=True))
    add_column("datastore_versions", sa.Column("image_tags", sa.JSON(), nullable=False), existing="'[]'")
    add_column("datastore_versions", sa.Column("packages", sa.JSON(), nullable=False), existing="'[]'")
    add_column("datastore_versions", sa.Column("registry_ext", sa.String(length=255), nullable=True))
    add_column("datastore_versions", sa.Column("repl_strategy", sa.String(length=255), nullable=True))
    add_column("instances", sa.Column("master_told_at", sa.Double(), nullable=True))
    add_column("instances", sa.Column("master_told_by", sa.String(length=64), nullable=True))
    add_column("instances", sa.Column("wanted", sa.String(length=16), nullable=False), existing="'running'")
    add_column("instances", sa.Column("configuration_id", sa.String(length=36), nullable=True))
    add_column("instances", sa.Column("locality", sa.String(length=32), nullable=True))
    add_column("instances", sa.Column("tags", sa.JSON(), nullable=False), existing="'{}'")
    add_column("instances", sa.Column("client_token", sa.String(length=64), nullable=True))
    add_column("instances", sa.Column("client_digest", sa.String(length=64), nullable=True))
    op.create_index("instances_token", "instances", ["project_id", "client_token"], unique=True, if_not_exists=True)
    add_column("guests", sa.Column("lost", sa.Boolean(), nullable=False), existing="false")
    add_column("guests", sa.Column("volume_level", sa.String(length=16), nullable=False), existing="'fine'")
    add_column("runs", sa.Column("actor", sa.String(length=64), nullable=False), existing="''")
    add_column("runs", sa.Column("actor_project", sa.String(length=64), nullable=False), existing="''")
    add_column("runs", sa.Column("request_id", sa.String(length=64), nullable=False), existing="''")
    for name, table, columns in INDICES:
        op.create_index(name, table, columns, if_not_exists=True)
