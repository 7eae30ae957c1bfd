"""Alerts that joined a job which is about the same change."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "joined",
        sa.Column("id", wide, autoincrement=True, nullable=False),
        sa.Column("job_id", wide, nullable=False),
        sa.Column("question", sa.String(64), nullable=False, comment="key of what the alert asks"),
        sa.Column("request", sa.Text(), nullable=False, comment="JSON, see bisector.formats.facts"),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("host_class", sa.String(64), nullable=False),
        sa.Column("asked_by", sa.String(200), nullable=False),
        sa.Column("joined_at", sa.Float(), nullable=False, comment="seconds since the epoch"),
        sa.Column("fate", sa.String(10), nullable=False, comment="waiting, answered, own"),
        sa.Column("own_job", wide, comment="the job of its own, where the joined one did not answer it"),
        sa.Column("said", sa.Text(), nullable=False, comment="what the job said of it"),
        sa.PrimaryKeyConstraint("id", name="pk_joined"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_joined_job_id_jobs"),
        sa.ForeignKeyConstraint(["own_job"], ["jobs.id"], name="fk_joined_own_job_jobs"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_joined_job_question", "joined", ["job_id", "question"], unique=True)
    op.create_index("ix_joined_fate", "joined", ["fate"])
