"""The first tables."""

import sqlalchemy as sa
from alembic import op

from models.base import JsonType, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "access_keys",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("scope", sa.String(40), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_access_keys")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("detail", JsonType, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_entries")),
    )
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entries_subject_sequence", ["subject", "sequence"], unique=False)

    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "case_counters",
        sa.Column("scope", sa.String(40), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_case_counters")),
    )
    op.create_table(
        "cases",
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("district", sa.String(24), nullable=False),
        sa.Column("station", sa.String(80), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("pack", sa.String(64), nullable=True),
        sa.Column("application_key", sa.String(64), nullable=False),
        sa.Column("person_key", sa.String(64), nullable=False),
        sa.Column("name_key", sa.String(64), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("term_asked", sa.Integer(), nullable=False),
        sa.Column("grounds", JsonType, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("ready_at", UtcDateTime(), nullable=True),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("decisions", sa.Integer(), nullable=False),
        sa.Column("weighed", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("asked_after", sa.Integer(), server_default="0", nullable=False),
        sa.Column("facts_after", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("lease", sa.String(40), nullable=True),
        sa.Column("leased_until", UtcDateTime(), nullable=True),
        sa.Column("set_aside", sa.String(200), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_cases")),
        sa.UniqueConstraint("application_key", name=op.f("uq_cases_application_key")),
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index(
            "ix_cases_district_received_at_number", ["district", "received_at", "number"], unique=False
        )
        batch_op.create_index("ix_cases_name_key", ["name_key"], unique=False)
        batch_op.create_index("ix_cases_person_key", ["person_key"], unique=False)
        batch_op.create_index(
            "ix_cases_ready_at",
            ["ready_at"],
            unique=False,
            sqlite_where=sa.text("ready_at IS NOT NULL"),
            postgresql_where=sa.text("ready_at IS NOT NULL"),
        )
        batch_op.create_index("ix_cases_received_at_number", ["received_at", "number"], unique=False)
        batch_op.create_index(
            "ix_cases_review_on",
            ["review_on"],
            unique=False,
            sqlite_where=sa.text("review_on IS NOT NULL"),
            postgresql_where=sa.text("review_on IS NOT NULL"),
        )
        batch_op.create_index("ix_cases_state_received_at_number", ["state", "received_at", "number"], unique=False)
        batch_op.create_index(
            "uq_cases_open_person",
            ["person_key"],
            unique=True,
            sqlite_where=sa.text("is_open"),
            postgresql_where=sa.text("is_open"),
        )

    op.create_table(
        "contradictions",
        sa.Column("step_id", sa.String(80), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.Column("names", sa.String(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.Column("seen_by", sa.String(80), nullable=True),
        sa.Column("found", sa.String(24), nullable=True),
        sa.PrimaryKeyConstraint("step_id", "told_at", name=op.f("pk_contradictions")),
    )
    with op.batch_alter_table("contradictions", schema=None) as batch_op:
        batch_op.create_index("ix_contradictions_seen_at", ["seen_at"], unique=False)

    op.create_table(
        "endpoints",
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("door", sa.String(24), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("url", sa.String(500), nullable=True),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("batch_size", sa.Integer(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("timeout_seconds", sa.Float(), nullable=False),
        sa.Column("rate_per_second", sa.Float(), nullable=True),
        sa.Column("services", JsonType, nullable=True),
        sa.Column("districts", JsonType, nullable=True),
        sa.Column("fallback", sa.String(24), nullable=True),
        sa.Column("fallback_hours", sa.Integer(), nullable=False),
        sa.Column("drain_per_second", sa.Float(), nullable=False),
        sa.Column("window_started_at", UtcDateTime(), nullable=True),
        sa.Column("window_tries", sa.Integer(), nullable=False),
        sa.Column("window_failures", sa.Integer(), nullable=False),
        sa.Column("failures_in_row", sa.Integer(), nullable=False),
        sa.Column("rate_until", UtcDateTime(), nullable=True),
        sa.Column("held_at", UtcDateTime(), nullable=True),
        sa.Column("probe_at", UtcDateTime(), nullable=True),
        sa.Column("holds", sa.Integer(), nullable=False),
        sa.Column("because", sa.String(200), nullable=True),
        sa.Column("accepted_at", UtcDateTime(), nullable=True),
        sa.Column("tested_at", UtcDateTime(), nullable=True),
        sa.Column("tested_well", sa.Boolean(), nullable=True),
        sa.Column("certificate_authority", sa.String(), nullable=True),
        sa.Column("polled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("department", name=op.f("pk_endpoints")),
    )
    op.create_table(
        "inbound_messages",
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("message_id", sa.String(128), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("department", "message_id", name=op.f("pk_inbound_messages")),
    )
    op.create_table(
        "inbound_steps",
        sa.Column("step_id", sa.String(80), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("message_id", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("step_id", "department", "message_id", name=op.f("pk_inbound_steps")),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("open_key", sa.String(280), nullable=True),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("most_steps", sa.Integer(), nullable=False),
        sa.Column("most_cases", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sa.UniqueConstraint("open_key", name=op.f("uq_incidents_open_key")),
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index("ix_incidents_closed_at_id", ["closed_at", "id"], unique=False)

    op.create_table(
        "remedies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("reason", sa.String(400), nullable=False),
        sa.Column("content", JsonType, nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("district", sa.String(24), nullable=True),
        sa.Column("asked_by", sa.String(80), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(80), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_because", sa.String(400), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remedies")),
    )
    with op.batch_alter_table("remedies", schema=None) as batch_op:
        batch_op.create_index("ix_remedies_state_id", ["state", "id"], unique=False)

    op.create_table(
        "retry_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("wanted", JsonType, nullable=False),
        sa.Column("canary", sa.Integer(), nullable=False),
        sa.Column("because", sa.String(120), nullable=True),
        sa.Column("made_by", sa.String(80), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("started_by", sa.String(80), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retry_runs")),
    )
    with op.batch_alter_table("retry_runs", schema=None) as batch_op:
        batch_op.create_index("ix_retry_runs_state", ["state"], unique=False)

    op.create_table(
        "system_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("shift_seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_clock")),
    )
    op.create_table(
        "case_versions",
        sa.Column("case_number", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("replaced_at", UtcDateTime(), nullable=False),
        sa.Column("replaced_by", sa.String(80), nullable=False),
        sa.ForeignKeyConstraint(["case_number"], ["cases.number"], name=op.f("fk_case_versions_case_number_cases")),
        sa.PrimaryKeyConstraint("case_number", "version", name=op.f("pk_case_versions")),
    )
    op.create_table(
        "clock_stops",
        sa.Column("case_number", sa.String(40), nullable=False),
        sa.Column("from_at", UtcDateTime(), nullable=False),
        sa.Column("remedy_id", sa.Integer(), nullable=False),
        sa.Column("missing", JsonType, nullable=False),
        sa.Column("until_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["case_number"], ["cases.number"], name=op.f("fk_clock_stops_case_number_cases")),
        sa.ForeignKeyConstraint(["remedy_id"], ["remedies.id"], name=op.f("fk_clock_stops_remedy_id_remedies")),
        sa.PrimaryKeyConstraint("case_number", "from_at", name=op.f("pk_clock_stops")),
    )
    op.create_table(
        "decisions",
        sa.Column("case_number", sa.String(40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("pack", sa.String(64), nullable=True),
        sa.Column("pack_digest", sa.String(64), nullable=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("term_years", sa.Integer(), nullable=True),
        sa.Column("because", JsonType, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_number"], ["cases.number"], name=op.f("fk_decisions_case_number_cases")),
        sa.PrimaryKeyConstraint("case_number", "sequence", name=op.f("pk_decisions")),
    )
    op.create_table(
        "endpoint_days",
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("well", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.String(300), nullable=True),
        sa.ForeignKeyConstraint(
            ["department"], ["endpoints.department"], name=op.f("fk_endpoint_days_department_endpoints")
        ),
        sa.PrimaryKeyConstraint("department", "on", name=op.f("pk_endpoint_days")),
    )
    op.create_table(
        "entitlements",
        sa.Column("case_number", sa.String(40), nullable=False),
        sa.Column("service", sa.String(24), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("leaves_on", sa.Date(), nullable=True),
        sa.Column("step_id", sa.String(80), nullable=False),
        sa.Column("reason", sa.String(64), nullable=True),
        sa.Column("in_force_from", sa.Date(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_number"], ["cases.number"], name=op.f("fk_entitlements_case_number_cases")),
        sa.PrimaryKeyConstraint("case_number", "service", name=op.f("pk_entitlements")),
    )
    with op.batch_alter_table("entitlements", schema=None) as batch_op:
        batch_op.create_index("ix_entitlements_department_state", ["department", "state"], unique=False)

    op.create_table(
        "facts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_number", sa.String(40), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("value", sa.Boolean(), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("step_id", sa.String(80), nullable=True),
        sa.Column("authority", sa.String(200), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_number"], ["cases.number"], name=op.f("fk_facts_case_number_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facts")),
        sa.UniqueConstraint("step_id", "name", name=op.f("uq_facts_step_id_name")),
    )
    with op.batch_alter_table("facts", schema=None) as batch_op:
        batch_op.create_index("ix_facts_case_number", ["case_number"], unique=False)

    op.create_table(
        "maintenance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("from_at", UtcDateTime(), nullable=False),
        sa.Column("until_at", UtcDateTime(), nullable=False),
        sa.Column("note", sa.String(200), nullable=True),
        sa.Column("announced_by", sa.String(80), nullable=False),
        sa.ForeignKeyConstraint(
            ["department"], ["endpoints.department"], name=op.f("fk_maintenance_department_endpoints")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance")),
    )
    with op.batch_alter_table("maintenance", schema=None) as batch_op:
        batch_op.create_index("ix_maintenance_department_until_at", ["department", "until_at"], unique=False)

    op.create_table(
        "permits",
        sa.Column("case_number", sa.String(40), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("district", sa.String(24), nullable=False),
        sa.Column("term_years", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("grounds", JsonType, nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.String(24), nullable=True),
        sa.ForeignKeyConstraint(["case_number"], ["cases.number"], name=op.f("fk_permits_case_number_cases")),
        sa.PrimaryKeyConstraint("case_number", name=op.f("pk_permits")),
    )
    with op.batch_alter_table("permits", schema=None) as batch_op:
        batch_op.create_index("ix_permits_state_valid_until", ["state", "valid_until"], unique=False)

    op.create_table(
        "remedy_cases",
        sa.Column("remedy_id", sa.Integer(), nullable=False),
        sa.Column("case_number", sa.String(40), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=True),
        sa.Column("problem", sa.String(300), nullable=True),
        sa.ForeignKeyConstraint(["case_number"], ["cases.number"], name=op.f("fk_remedy_cases_case_number_cases")),
        sa.ForeignKeyConstraint(["remedy_id"], ["remedies.id"], name=op.f("fk_remedy_cases_remedy_id_remedies")),
        sa.PrimaryKeyConstraint("remedy_id", "case_number", name=op.f("pk_remedy_cases")),
    )
    with op.batch_alter_table("remedy_cases", schema=None) as batch_op:
        batch_op.create_index("ix_remedy_cases_case_number", ["case_number"], unique=False)

    op.create_table(
        "steps",
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("case_number", sa.String(40), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("district", sa.String(24), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("content", JsonType, nullable=False),
        sa.Column("pack", sa.String(64), nullable=False),
        sa.Column("decision", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=True),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease", sa.String(40), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.String(200), nullable=True),
        sa.ForeignKeyConstraint(["case_number"], ["cases.number"], name=op.f("fk_steps_case_number_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_steps")),
    )
    with op.batch_alter_table("steps", schema=None) as batch_op:
        batch_op.create_index("ix_steps_case_number", ["case_number"], unique=False)
        batch_op.create_index(
            "ix_steps_department_state_next_attempt_at", ["department", "state", "next_attempt_at"], unique=False
        )
        batch_op.create_index(
            "ix_steps_next_attempt_at",
            ["next_attempt_at"],
            unique=False,
            sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
            postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
        )

    op.create_table(
        "attempts",
        sa.Column("step_id", sa.String(80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(24), nullable=True),
        sa.Column("problem", sa.String(300), nullable=True),
        sa.Column("sent_digest", sa.String(64), nullable=False),
        sa.Column("excerpt", sa.String(600), nullable=True),
        sa.Column("message_id", sa.String(128), nullable=True),
        sa.Column("signature", sa.String(), nullable=True),
        sa.Column("event_digest", sa.String(64), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("fields", sa.String(160), nullable=True),
        sa.Column("answer_digest", sa.String(64), nullable=True),
        sa.Column("door", sa.String(24), server_default="push", nullable=False),
        sa.ForeignKeyConstraint(["step_id"], ["steps.id"], name=op.f("fk_attempts_step_id_steps")),
        sa.PrimaryKeyConstraint("step_id", "number", name=op.f("pk_attempts")),
    )
    op.create_table(
        "retry_items",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.String(80), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("canary", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("open_step", sa.String(80), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["retry_runs.id"], name=op.f("fk_retry_items_run_id_retry_runs")),
        sa.ForeignKeyConstraint(["step_id"], ["steps.id"], name=op.f("fk_retry_items_step_id_steps")),
        sa.PrimaryKeyConstraint("run_id", "step_id", name=op.f("pk_retry_items")),
        sa.UniqueConstraint("open_step", name=op.f("uq_retry_items_open_step")),
    )
    with op.batch_alter_table("retry_items", schema=None) as batch_op:
        batch_op.create_index("ix_retry_items_run_id_state", ["run_id", "state"], unique=False)
    # The audit chain begins: every writer locks this row.
    head = sa.table("audit_head", sa.column("id"), sa.column("sequence"), sa.column("hash"))
    op.bulk_insert(head, [{"id": 1, "sequence": 0, "hash": "0" * 64}])


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("retry_items", schema=None) as batch_op:
        batch_op.drop_index("ix_retry_items_run_id_state")

    op.drop_table("retry_items")
    op.drop_table("attempts")
    with op.batch_alter_table("steps", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_steps_next_attempt_at",
            sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
            postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_steps_department_state_next_attempt_at")
        batch_op.drop_index("ix_steps_case_number")

    op.drop_table("steps")
    with op.batch_alter_table("remedy_cases", schema=None) as batch_op:
        batch_op.drop_index("ix_remedy_cases_case_number")

    op.drop_table("remedy_cases")
    with op.batch_alter_table("permits", schema=None) as batch_op:
        batch_op.drop_index("ix_permits_state_valid_until")

    op.drop_table("permits")
    with op.batch_alter_table("maintenance", schema=None) as batch_op:
        batch_op.drop_index("ix_maintenance_department_until_at")

    op.drop_table("maintenance")
    with op.batch_alter_table("facts", schema=None) as batch_op:
        batch_op.drop_index("ix_facts_case_number")

    op.drop_table("facts")
    with op.batch_alter_table("entitlements", schema=None) as batch_op:
        batch_op.drop_index("ix_entitlements_department_state")

    op.drop_table("entitlements")
    op.drop_table("endpoint_days")
    op.drop_table("decisions")
    op.drop_table("clock_stops")
    op.drop_table("case_versions")
    op.drop_table("system_clock")
    with op.batch_alter_table("retry_runs", schema=None) as batch_op:
        batch_op.drop_index("ix_retry_runs_state")

    op.drop_table("retry_runs")
    with op.batch_alter_table("remedies", schema=None) as batch_op:
        batch_op.drop_index("ix_remedies_state_id")

    op.drop_table("remedies")
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.drop_index("ix_incidents_closed_at_id")

    op.drop_table("incidents")
    op.drop_table("inbound_steps")
    op.drop_table("inbound_messages")
    op.drop_table("endpoints")
    with op.batch_alter_table("contradictions", schema=None) as batch_op:
        batch_op.drop_index("ix_contradictions_seen_at")

    op.drop_table("contradictions")
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_cases_open_person", sqlite_where=sa.text("is_open"), postgresql_where=sa.text("is_open")
        )
        batch_op.drop_index("ix_cases_state_received_at_number")
        batch_op.drop_index(
            "ix_cases_review_on",
            sqlite_where=sa.text("review_on IS NOT NULL"),
            postgresql_where=sa.text("review_on IS NOT NULL"),
        )
        batch_op.drop_index("ix_cases_received_at_number")
        batch_op.drop_index(
            "ix_cases_ready_at",
            sqlite_where=sa.text("ready_at IS NOT NULL"),
            postgresql_where=sa.text("ready_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_cases_person_key")
        batch_op.drop_index("ix_cases_name_key")
        batch_op.drop_index("ix_cases_district_received_at_number")

    op.drop_table("cases")
    op.drop_table("case_counters")
    op.drop_table("audit_head")
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entries_subject_sequence")

    op.drop_table("audit_entries")
    op.drop_table("access_keys")
