-- The acknowledgment of a process: its name for people, and the instant at which it applied the
-- newest revocation of the feed up to its position. NULL until then.
ALTER TABLE nodes ADD COLUMN name TEXT;
ALTER TABLE nodes ADD COLUMN applied_at INTEGER;
