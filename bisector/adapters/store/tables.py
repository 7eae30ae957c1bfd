"""The tables. Facts are appended and never changed; everything else can be computed from them or found again."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

REVISION = "0009"
"""The newest schema this version knows; the last file under migrations/versions."""
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    }
)

LOST = "lost"
"""Outcome of an attempt whose worker was given up."""

# SQLite numbers rows by itself only for an INTEGER key; elsewhere a wide one costs nothing.
_Id = BigInteger().with_variant(Integer, "sqlite")

jobs = Table(
    "jobs",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("created_at", Float, nullable=False, comment="seconds since the epoch"),
    Column("state", String(20), nullable=False),
    Column("request", Text, nullable=False, comment="JSON, see bisector.formats.facts"),
    Column("sentence", Text, nullable=False, default="", comment="the answer in one sentence, once there is one"),
    Column("cancel_requested", Boolean, nullable=False, default=False),
    sqlite_autoincrement=True,
)

facts = Table(
    "facts",
    metadata,
    Column("job_id", _Id, ForeignKey("jobs.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, comment="1, 2, 3 … within a job"),
    Column("recorded_at", Float, nullable=False, comment="seconds since the epoch"),
    Column("kind", String(40), nullable=False),
    Column("payload", LargeBinary, nullable=False, comment="JSON, compressed where that pays"),
    Column("build", String(64), comment="build key, for samples"),
    Column("identity", String(64), comment="digest of the run settings, for samples"),
    Column("host", String(64), comment="host fingerprint, for samples"),
    Index(None, "identity", "host", "build"),
)

builds = Table(
    "builds",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("payload", Text, nullable=False, comment="JSON of the build"),
    Column("made_at", Float, nullable=False),
    Column("used_at", Float, nullable=False),
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("identity", String(64), primary_key=True, comment="digest of the run settings"),
    Column("host", String(64), primary_key=True, comment="host fingerprint"),
    Column("metric", String(200), primary_key=True),
    Column("payload", Text, nullable=False, comment="JSON of the calibration"),
    Column("made_at", Float, nullable=False, comment="seconds since the epoch"),
)

workers = Table(
    "workers",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("kind", String(10), nullable=False, comment="worker, or person: a command that works on one job"),
    Column("state", String(10), nullable=False, comment="there, gone (given up), ended"),
    Column("host", String(64), nullable=False, comment="the machine"),
    Column("name", String(200), nullable=False, comment="the machine's name, for people"),
    Column("host_classes", String(400), nullable=False, comment="joined by commas"),
    Column("process", String(200), nullable=False, comment="boot, namespace, number and start of the process"),
    Column("pid", Integer, nullable=False),
    Column("cores", Integer, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("version", String(40), nullable=False),
    Column("since", Float, nullable=False, comment="seconds since the epoch"),
    Column("alive_until", Float, nullable=False, comment="by the clock of leases; its leases last as long"),
    Index(None, "state"),
    sqlite_autoincrement=True,
)

queue = Table(
    "queue",
    metadata,
    Column("job_id", _Id, ForeignKey("jobs.id"), primary_key=True, autoincrement=False),
    Column("state", String(10), nullable=False, comment="waiting, leased, ended"),
    Column("priority", Integer, nullable=False, comment="the higher goes first"),
    Column("host_class", String(64), nullable=False),
    Column("repository", String(64), nullable=False, comment="digest of its location, for the cap"),
    Column("dedup_key", String(64), comment="unique among entries that are not ended"),
    Column("asked_by", String(200), nullable=False),
    Column("enqueued_at", Float, nullable=False, comment="seconds since the epoch"),
    Column("not_before", Float, nullable=False, comment="seconds since the epoch; 0: at once"),
    Column("attempt", Integer, nullable=False, comment="how often it was taken"),
    Column("fence", BigInteger, nullable=False, comment="number of the last lease; only ever grows"),
    Column("failures", Integer, nullable=False, comment="lost workers and faults in a row"),
    Column("worker_id", _Id, ForeignKey("workers.id"), comment="who has it"),
    Column("host", String(64), nullable=False, comment="the machine that has measured it"),
    Index(None, "state", "priority", "job_id"),
    Index(
        "uq_queue_dedup_key",
        "dedup_key",
        unique=True,
        sqlite_where=text("state <> 'ended'"),
        postgresql_where=text("state <> 'ended'"),
    ),
)

attempts = Table(
    "attempts",
    metadata,
    Column("job_id", _Id, ForeignKey("jobs.id"), primary_key=True),
    Column("fence", BigInteger, primary_key=True),
    Column("worker_id", _Id, ForeignKey("workers.id"), nullable=False),
    Column("began_at", Float, nullable=False, comment="seconds since the epoch"),
    Column("ended_at", Float, comment="seconds since the epoch"),
    Column("outcome", String(20), nullable=False, comment="the state the job went to, or lost; empty while it lasts"),
)

hosts = Table(
    "hosts",
    metadata,
    Column("host", String(64), primary_key=True, comment="the machine"),
    Column("worker_id", _Id, ForeignKey("workers.id"), comment="who has its measuring slot"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("hook", String(200), primary_key=True),
    Column("delivery", String(200), primary_key=True, comment="the sender's name of it, or a digest of its body"),
    Column("received_at", Float, nullable=False, comment="seconds since the epoch"),
    Column("outcome", Text, nullable=False, comment="JSON of what it was answered; empty while it is being done"),
)

notify_targets = Table(
    "notify_targets",
    metadata,
    Column("target", String(200), primary_key=True),
    Column("since", Float, nullable=False, comment="seconds since the epoch: what ended later is told"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("job_id", _Id, ForeignKey("jobs.id"), nullable=False),
    Column("target", String(200), nullable=False),
    Column("subject", String(64), nullable=False, comment="digest of repository, scenario and metric"),
    Column("told", String(64), nullable=False, comment="digest of the verdict and its commits; empty: none"),
    Column("fate", String(10), nullable=False, comment="what has become of it"),
    Column("noted_at", Float, nullable=False, comment="seconds since the epoch"),
    Column("due_at", Float, nullable=False, comment="seconds since the epoch: next attempt, or end of a claim"),
    Column("attempts", Integer, nullable=False),
    Column("reason", String(400), nullable=False, comment="why the last attempt failed"),
    Index("uq_outbox_job_target", "job_id", "target", unique=True),
    Index(None, "fate"),
    Index(None, "target", "subject"),
    sqlite_autoincrement=True,
)

series_entries = Table(
    "series_entries",
    metadata,
    Column("series", String(400), primary_key=True, comment="repository/branch/scenario/metric@host class"),
    Column("seq", Integer, primary_key=True, comment="1, 2, 3 … within a series"),
    Column("recorded_at", Float, nullable=False, comment="seconds since the epoch"),
    Column("kind", String(40), nullable=False),
    Column("payload", Text, nullable=False, comment="JSON, see bisector.formats.series"),
)

commands = Table(
    "commands",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("repository", String(200), nullable=False, comment="the configured one"),
    Column("forge_name", String(200), nullable=False, comment="owner/name"),
    Column("issue", BigInteger, nullable=False),
    Column("pull_request", Boolean, nullable=False),
    Column("comment", BigInteger, nullable=False, comment="its number at the forge"),
    Column("login", String(120), nullable=False, comment="who wrote it"),
    Column("user_id", BigInteger, nullable=False),
    Column("written_at", Float, nullable=False, comment="seconds since the epoch"),
    Column("line", String(500), nullable=False, comment="its first line"),
    Column("job_id", _Id, ForeignKey("jobs.id"), comment="what came of it"),
    Column("answer", BigInteger, comment="our comment's number at the forge"),
    Column("shown", String(20), nullable=False, comment="state of the job that our comment tells"),
    Column("closed", Boolean, nullable=False, comment="nothing more is done on it"),
    Column("noted_at", Float, nullable=False, comment="seconds since the epoch"),
    Column("due_at", Float, nullable=False, comment="seconds since the epoch: next attempt, or end of a claim"),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False, comment="in a row"),
    Column("reason", String(400), nullable=False, comment="why the last attempt failed, or it was closed"),
    Index("uq_commands_comment", "repository", "comment", unique=True),
    Index(None, "closed"),
    sqlite_autoincrement=True,
)

marks = Table(
    "marks",
    metadata,
    Column("target", String(200), primary_key=True),
    Column("job_id", _Id, ForeignKey("jobs.id"), primary_key=True, autoincrement=False),
    Column("fence", BigInteger, primary_key=True, autoincrement=False, comment="of the lease that is marked"),
    Column("outside", String(200), nullable=False, comment="what the target calls it; empty: not made yet"),
    Column("until_at", Float, nullable=False, comment="seconds since the epoch: the end that was told"),
    Column("closed", Boolean, nullable=False, comment="nothing more is done about it"),
    Column("due_at", Float, nullable=False, comment="seconds since the epoch: next attempt, or end of a claim"),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False, comment="in a row"),
    Column("reason", String(400), nullable=False, comment="why the last attempt failed, or it was closed"),
    Index(None, "closed"),
)

joined = Table(
    "joined",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("job_id", _Id, ForeignKey("jobs.id"), nullable=False),
    Column("question", String(64), nullable=False, comment="key of what the alert asks"),
    Column("request", Text, nullable=False, comment="JSON, see bisector.formats.facts"),
    Column("priority", Integer, nullable=False),
    Column("host_class", String(64), nullable=False),
    Column("asked_by", String(200), nullable=False),
    Column("joined_at", Float, nullable=False, comment="seconds since the epoch"),
    Column("fate", String(10), nullable=False, comment="waiting, answered, own"),
    Column("own_job", _Id, ForeignKey("jobs.id"), comment="the job of its own, where the joined one did not answer it"),
    Column("said", Text, nullable=False, comment="what the job said of it"),
    Index("uq_joined_job_question", "job_id", "question", unique=True),
    Index(None, "fate"),
    sqlite_autoincrement=True,
)
