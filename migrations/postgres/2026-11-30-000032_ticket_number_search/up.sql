-- Finds closed tickets by their receipt number.
CREATE INDEX tickets_number ON tickets (tenant_id, number, opened_at, id) WHERE number IS NOT NULL;
