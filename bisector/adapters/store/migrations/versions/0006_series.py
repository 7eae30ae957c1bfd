"""Series: what sweeps measured, night after night."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "series_entries",
        sa.Column("series", sa.String(400), nullable=False, comment="repository/branch/scenario/metric@host class"),
        sa.Column("seq", sa.Integer(), nullable=False, comment="1, 2, 3 … within a series"),
        sa.Column("recorded_at", sa.Float(), nullable=False, comment="seconds since the epoch"),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False, comment="JSON, see bisector.formats.series"),
        sa.PrimaryKeyConstraint("series", "seq", name="pk_series_entries"),
    )
