"""Jobs, facts and builds."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "jobs",
        sa.Column("id", wide, autoincrement=True, nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False, comment="seconds since the epoch"),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("request", sa.Text(), nullable=False, comment="JSON, see bisector.formats.facts"),
        sa.Column("sentence", sa.Text(), nullable=False, comment="the answer in one sentence, once there is one"),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "facts",
        sa.Column("job_id", wide, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False, comment="1, 2, 3 … within a job"),
        sa.Column("recorded_at", sa.Float(), nullable=False, comment="seconds since the epoch"),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False, comment="JSON, compressed where that pays"),
        sa.Column("build", sa.String(64), comment="build key, for samples"),
        sa.Column("identity", sa.String(64), comment="digest of the run settings, for samples"),
        sa.Column("host", sa.String(64), comment="host fingerprint, for samples"),
        sa.PrimaryKeyConstraint("job_id", "seq", name="pk_facts"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_facts_job_id_jobs"),
    )
    op.create_index("ix_facts_identity_host_build", "facts", ["identity", "host", "build"])
    op.create_table(
        "builds",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False, comment="JSON of the build"),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("used_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_builds"),
    )
