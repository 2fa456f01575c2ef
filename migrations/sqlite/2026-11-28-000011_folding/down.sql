-- The keys stay: for names that full case folding does not change, they are as before.
DROP TRIGGER audit_searched_unchanged;
ALTER TABLE audit DROP COLUMN searched;
ALTER TABLE tickets DROP COLUMN searched;
ALTER TABLE devices DROP COLUMN searched;
ALTER TABLE users DROP COLUMN searched;
