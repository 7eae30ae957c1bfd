"""Marks for monitoring: where it is told that a job is being worked on."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "marks",
        sa.Column("target", sa.String(200), nullable=False),
        sa.Column("job_id", wide, nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False, comment="of the lease that is marked"),
        sa.Column("outside", sa.String(200), nullable=False, comment="what the target calls it; empty: not made yet"),
        sa.Column("until_at", sa.Float(), nullable=False, comment="seconds since the epoch: the end that was told"),
        sa.Column("closed", sa.Boolean(), nullable=False, comment="nothing more is done about it"),
        sa.Column(
            "due_at", sa.Float(), nullable=False, comment="seconds since the epoch: next attempt, or end of a claim"
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False, comment="in a row"),
        sa.Column("reason", sa.String(400), nullable=False, comment="why the last attempt failed, or it was closed"),
        sa.PrimaryKeyConstraint("target", "job_id", "fence", name="pk_marks"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_marks_job_id_jobs"),
    )
    op.create_index("ix_marks_closed", "marks", ["closed"])
