"""What is known of the noise of scenarios on hosts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "calibrations",
        sa.Column("identity", sa.String(64), nullable=False, comment="digest of the run settings"),
        sa.Column("host", sa.String(64), nullable=False, comment="host fingerprint"),
        sa.Column("metric", sa.String(200), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False, comment="JSON of the calibration"),
        sa.Column("made_at", sa.Float(), nullable=False, comment="seconds since the epoch"),
        sa.PrimaryKeyConstraint("identity", "host", "metric", name="pk_calibrations"),
    )
