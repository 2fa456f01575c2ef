DROP TABLE idempotency_keys;
DROP TABLE ticket_numbers;
DROP TABLE ticket_claims;
DROP TABLE tickets;
