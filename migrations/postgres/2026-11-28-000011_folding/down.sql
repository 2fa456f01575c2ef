-- The keys stay as they are: where a name has nothing that is folded in full, they are what they were.
DROP TRIGGER audit_searched_unchanged ON audit;
ALTER TABLE audit DROP COLUMN searched;
ALTER TABLE tickets DROP COLUMN searched;
ALTER TABLE devices DROP COLUMN searched;
ALTER TABLE users DROP COLUMN searched;
