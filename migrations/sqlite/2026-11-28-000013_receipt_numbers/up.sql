-- Receipt numbers: within a tenant, each series contains a number once. A series belongs to a
-- fiscal memory by its name, or to a device without one. If a number was given twice before this
-- migration, the first receipt has it.
CREATE TABLE receipt_numbers (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    series TEXT NOT NULL,
    number INTEGER NOT NULL,
    ticket_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, series, number),
    FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO receipt_numbers (tenant_id, series, number, ticket_id)
SELECT tickets.tenant_id,
    CASE json_extract(tickets.ending, '$.fiscal') WHEN '' THEN 'device:' || replace(json_extract(tickets.ending, '$.on'), '-', '') ELSE 'fiscal:' || json_extract(tickets.ending, '$.fiscal') END,
    tickets.number, tickets.id
FROM tickets WHERE tickets.state = 'closed' AND tickets.number IS NOT NULL
ORDER BY tickets.ended_at, tickets.id;

-- The latest number that was assigned in a series.
CREATE TABLE receipt_series (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    series TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, series)
) STRICT, WITHOUT ROWID;
INSERT INTO receipt_series (tenant_id, series, number)
SELECT tenant_id, 'device:' || lower(hex(device_id)), number FROM ticket_numbers;
-- A fiscal memory continues after the numbers that its devices have assigned for it. Numbers that
-- clients supplied beyond that do not determine the next one.
INSERT INTO receipt_series (tenant_id, series, number)
SELECT receipt_numbers.tenant_id, receipt_numbers.series, MAX(receipt_numbers.number)
FROM receipt_numbers
JOIN tickets ON tickets.tenant_id = receipt_numbers.tenant_id AND tickets.id = receipt_numbers.ticket_id
JOIN ticket_numbers ON ticket_numbers.tenant_id = receipt_numbers.tenant_id
    AND lower(hex(ticket_numbers.device_id)) = replace(json_extract(tickets.ending, '$.on'), '-', '')
WHERE receipt_numbers.series LIKE 'fiscal:%' AND receipt_numbers.number <= ticket_numbers.number
GROUP BY receipt_numbers.tenant_id, receipt_numbers.series;
DROP TABLE ticket_numbers;

-- The part of a ticket's payable amount below a hundredth, in ten-thousandths: currencies have up
-- to four decimal places.
ALTER TABLE tickets ADD COLUMN payable_rest INTEGER NOT NULL DEFAULT 0;
DROP INDEX tickets_payable;
CREATE INDEX tickets_payable ON tickets (tenant_id, payable, payable_rest, id);
