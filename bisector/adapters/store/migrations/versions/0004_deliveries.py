"""Deliveries of alerts, so that none is done twice."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("hook", sa.String(200), nullable=False),
        sa.Column(
            "delivery", sa.String(200), nullable=False, comment="the sender's name of it, or a digest of its body"
        ),
        sa.Column("received_at", sa.Float(), nullable=False, comment="seconds since the epoch"),
        sa.Column(
            "outcome", sa.Text(), nullable=False, comment="JSON of what it was answered; empty while it is being done"
        ),
        sa.PrimaryKeyConstraint("hook", "delivery", name="pk_deliveries"),
    )
