-- The time zone of a store; NULL for that of the tenant.
ALTER TABLE branches ADD COLUMN zone TEXT;
