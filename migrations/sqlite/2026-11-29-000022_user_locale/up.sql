-- The language of a user; NULL for that of the tenant.
ALTER TABLE users ADD COLUMN locale TEXT;
