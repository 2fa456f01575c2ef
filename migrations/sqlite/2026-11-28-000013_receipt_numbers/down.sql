DROP INDEX tickets_payable;
CREATE INDEX tickets_payable ON tickets (tenant_id, payable, id);
ALTER TABLE tickets DROP COLUMN payable_rest;
CREATE TABLE ticket_numbers (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    device_id BLOB NOT NULL REFERENCES devices (id),
    number INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, device_id)
) STRICT, WITHOUT ROWID;
INSERT INTO ticket_numbers (tenant_id, device_id, number)
SELECT tenant_id, unhex(substr(series, 8)), number FROM receipt_series WHERE series LIKE 'device:%';
DROP TABLE receipt_series;
DROP TABLE receipt_numbers;
