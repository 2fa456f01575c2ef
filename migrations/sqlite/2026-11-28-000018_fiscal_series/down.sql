-- Each spelling is a separate series again and continues after its largest number.
UPDATE receipt_numbers SET series = 'fiscal:' || (
    SELECT json_extract(tickets.ending, '$.fiscal') FROM tickets
    WHERE tickets.tenant_id = receipt_numbers.tenant_id AND tickets.id = receipt_numbers.ticket_id
) WHERE series LIKE 'fiscal:%' AND EXISTS (
    SELECT 1 FROM tickets
    WHERE tickets.tenant_id = receipt_numbers.tenant_id AND tickets.id = receipt_numbers.ticket_id AND tickets.state = 'closed'
        AND json_extract(tickets.ending, '$.fiscal') <> ''
);
INSERT INTO receipt_series (tenant_id, series, number)
SELECT tenant_id, series, MAX(number) FROM receipt_numbers WHERE series LIKE 'fiscal:%' GROUP BY tenant_id, series
ON CONFLICT DO NOTHING;
