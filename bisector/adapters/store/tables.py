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
)

REVISION = "0002"
"""The newest schema this version knows; the last file under migrations/versions."""
REVISIONS = ("0001", "0002")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    }
)

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
