"""Commands in comments, so that each is carried out once and its answer follows its job."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "commands",
        sa.Column("id", wide, autoincrement=True, nullable=False),
        sa.Column("repository", sa.String(200), nullable=False, comment="the configured one"),
        sa.Column("forge_name", sa.String(200), nullable=False, comment="owner/name"),
        sa.Column("issue", sa.BigInteger(), nullable=False),
        sa.Column("pull_request", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.BigInteger(), nullable=False, comment="its number at the forge"),
        sa.Column("login", sa.String(120), nullable=False, comment="who wrote it"),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.Float(), nullable=False, comment="seconds since the epoch"),
        sa.Column("line", sa.String(500), nullable=False, comment="its first line"),
        sa.Column("job_id", wide, comment="what came of it"),
        sa.Column("answer", sa.BigInteger(), comment="our comment's number at the forge"),
        sa.Column("shown", sa.String(20), nullable=False, comment="state of the job that our comment tells"),
        sa.Column("closed", sa.Boolean(), nullable=False, comment="nothing more is done on it"),
        sa.Column("noted_at", sa.Float(), nullable=False, comment="seconds since the epoch"),
        sa.Column(
            "due_at", sa.Float(), nullable=False, comment="seconds since the epoch: next attempt, or end of a claim"
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False, comment="in a row"),
        sa.Column("reason", sa.String(400), nullable=False, comment="why the last attempt failed, or it was closed"),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_commands_job_id_jobs"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_commands_comment", "commands", ["repository", "comment"], unique=True)
    op.create_index("ix_commands_closed", "commands", ["closed"])
