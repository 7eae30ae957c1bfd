"""Messages about answers, so that none is lost or sent twice."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "notify_targets",
        sa.Column("target", sa.String(200), nullable=False),
        sa.Column("since", sa.Float(), nullable=False, comment="seconds since the epoch: what ended later is told"),
        sa.PrimaryKeyConstraint("target", name="pk_notify_targets"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", wide, autoincrement=True, nullable=False),
        sa.Column("job_id", wide, nullable=False),
        sa.Column("target", sa.String(200), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False, comment="digest of repository, scenario and metric"),
        sa.Column("told", sa.String(64), nullable=False, comment="digest of the verdict and its commits; empty: none"),
        sa.Column("fate", sa.String(10), nullable=False, comment="what has become of it"),
        sa.Column("noted_at", sa.Float(), nullable=False, comment="seconds since the epoch"),
        sa.Column(
            "due_at", sa.Float(), nullable=False, comment="seconds since the epoch: next attempt, or end of a claim"
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(400), nullable=False, comment="why the last attempt failed"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_outbox_job_id_jobs"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_outbox_job_target", "outbox", ["job_id", "target"], unique=True)
    op.create_index("ix_outbox_fate", "outbox", ["fate"])
    op.create_index("ix_outbox_target_subject", "outbox", ["target", "subject"])
