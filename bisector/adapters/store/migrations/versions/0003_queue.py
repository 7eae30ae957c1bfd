"""What waits to be worked on, and who works on what."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    _workers(wide)
    _queue(wide)
    op.create_table(
        "attempts",
        sa.Column("job_id", wide, nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("worker_id", wide, nullable=False),
        sa.Column("began_at", sa.Float(), nullable=False, comment="seconds since the epoch"),
        sa.Column("ended_at", sa.Float(), comment="seconds since the epoch"),
        sa.Column(
            "outcome",
            sa.String(20),
            nullable=False,
            comment="the state the job went to, or lost; empty while it lasts",
        ),
        sa.PrimaryKeyConstraint("job_id", "fence", name="pk_attempts"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_attempts_job_id_jobs"),
        sa.ForeignKeyConstraint(["worker_id"], ["workers.id"], name="fk_attempts_worker_id_workers"),
    )
    op.create_table(
        "hosts",
        sa.Column("host", sa.String(64), nullable=False, comment="the machine"),
        sa.Column("worker_id", wide, comment="who has its measuring slot"),
        sa.PrimaryKeyConstraint("host", name="pk_hosts"),
        sa.ForeignKeyConstraint(["worker_id"], ["workers.id"], name="fk_hosts_worker_id_workers"),
    )


def _workers(wide: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "workers",
        sa.Column("id", wide, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False, comment="worker, or person: a command that works on one job"),
        sa.Column("state", sa.String(10), nullable=False, comment="there, gone (given up), ended"),
        sa.Column("host", sa.String(64), nullable=False, comment="the machine"),
        sa.Column("name", sa.String(200), nullable=False, comment="the machine's name, for people"),
        sa.Column("host_classes", sa.String(400), nullable=False, comment="joined by commas"),
        sa.Column(
            "process", sa.String(200), nullable=False, comment="boot, namespace, number and start of the process"
        ),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("cores", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("since", sa.Float(), nullable=False, comment="seconds since the epoch"),
        sa.Column("alive_until", sa.Float(), nullable=False, comment="by the clock of leases; its leases last as long"),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_workers_state", "workers", ["state"])


def _queue(wide: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "queue",
        sa.Column("job_id", wide, autoincrement=False, nullable=False),
        sa.Column("state", sa.String(10), nullable=False, comment="waiting, leased, ended"),
        sa.Column("priority", sa.Integer(), nullable=False, comment="the higher goes first"),
        sa.Column("host_class", sa.String(64), nullable=False),
        sa.Column("repository", sa.String(64), nullable=False, comment="digest of its location, for the cap"),
        sa.Column("dedup_key", sa.String(64), comment="unique among entries that are not ended"),
        sa.Column("asked_by", sa.String(200), nullable=False),
        sa.Column("enqueued_at", sa.Float(), nullable=False, comment="seconds since the epoch"),
        sa.Column("not_before", sa.Float(), nullable=False, comment="seconds since the epoch; 0: at once"),
        sa.Column("attempt", sa.Integer(), nullable=False, comment="how often it was taken"),
        sa.Column("fence", sa.BigInteger(), nullable=False, comment="number of the last lease; only ever grows"),
        sa.Column("failures", sa.Integer(), nullable=False, comment="lost workers and faults in a row"),
        sa.Column("worker_id", wide, comment="who has it"),
        sa.Column("host", sa.String(64), nullable=False, comment="the machine that has measured it"),
        sa.PrimaryKeyConstraint("job_id", name="pk_queue"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_queue_job_id_jobs"),
        sa.ForeignKeyConstraint(["worker_id"], ["workers.id"], name="fk_queue_worker_id_workers"),
    )
    op.create_index("ix_queue_state_priority_job_id", "queue", ["state", "priority", "job_id"])
    open_entries = sa.text("state <> 'ended'")
    op.create_index(
        "uq_queue_dedup_key",
        "queue",
        ["dedup_key"],
        unique=True,
        sqlite_where=open_entries,
        postgresql_where=open_entries,
    )
