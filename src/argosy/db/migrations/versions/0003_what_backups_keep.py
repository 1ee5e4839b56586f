"""What backups keep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from argosy.db.migrations.repeatable import add_column

revision = "0003"
down_revision = "0002"

BODY = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "archives",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("keep_days", sa.Double(), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("fault", BODY, nullable=True),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id"),
        if_not_exists=True,
    )
    op.create_index("archives_watched", "archives", ["enabled", "instance_id"], if_not_exists=True)
    op.create_table(
        "archive_streams",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=512), nullable=False),
        sa.Column("data_key", sa.LargeBinary(1_000_000), nullable=False),
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Double(), nullable=False),
        sa.Column("began", sa.Double(), nullable=True),
        sa.Column("ended", sa.Double(), nullable=True),
        sa.Column("latest", sa.Double(), nullable=True),
        sa.Column("committed", sa.Double(), nullable=True),
        sa.Column("position", sa.JSON(), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=False),
        sa.Column("shipped_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("instance_id", "number"),
        if_not_exists=True,
    )
    op.create_table(
        "archive_files",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("begins", sa.Boolean(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.Double(), nullable=False),
        sa.Column("last_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "number", "name"),
        if_not_exists=True,
    )
    op.create_index("archive_files_chunks", "archive_files", ["chunks"], if_not_exists=True)
    op.create_table(
        "backup_schedules",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("cron", sa.String(length=255), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("full_every", sa.Integer(), nullable=False),
        sa.Column("strategy", sa.String(length=32), nullable=False),
        sa.Column("retention", sa.JSON(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("next_at", sa.Double(), nullable=False),
        sa.Column("last_at", sa.Double(), nullable=True),
        sa.Column("last_backup_id", sa.String(length=36), nullable=True),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("fault", BODY, nullable=True),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        if_not_exists=True,
    )
    op.create_index("backup_schedules_due", "backup_schedules", ["paused", "next_at"], if_not_exists=True)
    op.create_index("backup_schedules_of_instance", "backup_schedules", ["instance_id", "id"], if_not_exists=True)
    op.create_index("backup_schedules_page", "backup_schedules", ["project_id", "id"], if_not_exists=True)
    op.create_table(
        "drills",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("backup_id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("started", sa.Double(), nullable=False),
        sa.Column("ended", sa.Double(), nullable=True),
        sa.Column("fault", BODY, nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        if_not_exists=True,
    )
    op.create_index("drills_of_backup", "drills", ["backup_id", "started"], if_not_exists=True)
    op.create_index("drills_recent", "drills", ["started"], if_not_exists=True)
    op.create_table(
        "project_keys",
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(1_000_000), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "number"),
        if_not_exists=True,
    )
    op.create_table(
        "snapshots",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        if_not_exists=True,
    )
    op.create_index("snapshots_of_instance", "snapshots", ["instance_id"], if_not_exists=True)
    op.create_table(
        "undos",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("reason", sa.String(length=255), nullable=False),
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("restored_from", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "id"),
        if_not_exists=True,
    )
    op.create_index("undos_ending", "undos", ["until"], if_not_exists=True)
    add_column("backups", sa.Column("finished", sa.Double(), nullable=True))
    add_column("backups", sa.Column("strategy", sa.String(length=32), nullable=False), existing="''")
    add_column("backups", sa.Column("manifest", sa.String(length=512), nullable=False), existing="''")
    add_column("backups", sa.Column("mac", sa.String(length=64), nullable=False), existing="''")
    add_column("backups", sa.Column("data_key", sa.LargeBinary(1_000_000), nullable=True))
    add_column("backups", sa.Column("snapshot", sa.String(length=36), nullable=False), existing="''")
    add_column("backups", sa.Column("gigabytes", sa.Integer(), nullable=False), existing="0")
    add_column("backups", sa.Column("raw_bytes", sa.BigInteger(), nullable=False), existing="0")
    add_column("backups", sa.Column("stored_bytes", sa.BigInteger(), nullable=False), existing="0")
    add_column("backups", sa.Column("position", sa.JSON(), nullable=False), existing="'{}'")
    add_column("backups", sa.Column("moment", sa.Double(), nullable=True))
    add_column("backups", sa.Column("proof", sa.String(length=16), nullable=False), existing="'unproven'")
    add_column("backups", sa.Column("proven_at", sa.Double(), nullable=True))
    add_column("backups", sa.Column("proven_seconds", sa.Double(), nullable=True))
    add_column("backups", sa.Column("proof_report", sa.JSON(), nullable=False), existing="'{}'")
    add_column("backups", sa.Column("schedule_id", sa.String(length=36), nullable=True))
    add_column("backups", sa.Column("purpose", sa.String(length=16), nullable=False), existing="'manual'")
    add_column("backups", sa.Column("hold_until", sa.Double(), nullable=True))
    add_column("backups", sa.Column("protected", sa.Boolean(), nullable=False), existing="false")
    add_column("backups", sa.Column("quarantined_until", sa.Double(), nullable=True))
    add_column("backups", sa.Column("quota_held", sa.Boolean(), nullable=False), existing="true")
    op.create_index("backups_children", "backups", ["parent_id"], if_not_exists=True)
    op.create_index("backups_of_schedule", "backups", ["schedule_id", "created"], if_not_exists=True)
    op.create_index("backups_to_prove", "backups", ["proof", "finished"], if_not_exists=True)
    add_column("datastore_versions", sa.Column("backup_strategy", sa.String(length=32), nullable=False), existing="''")
    add_column("guests", sa.Column("run_id", sa.String(length=36), nullable=True))
    op.create_index("guests_thrown_away", "guests", ["run_id"], if_not_exists=True)
    add_column("instances", sa.Column("protected", sa.Boolean(), nullable=False), existing="false")
    add_column("instances", sa.Column("quarantined_until", sa.Double(), nullable=True))
    add_column("instances", sa.Column("ends_at", sa.Double(), nullable=True))
    add_column("instances", sa.Column("restored_from", sa.JSON(none_as_null=True), nullable=True))
    op.create_index("instances_ending", "instances", ["ends_at"], if_not_exists=True)
    op.create_index("instances_quarantined", "instances", ["quarantined_until"], if_not_exists=True)
