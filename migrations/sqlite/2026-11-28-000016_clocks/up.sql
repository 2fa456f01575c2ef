-- The clock of the machine on which a process runs: the id of that start of the machine, and the
-- instant of the start according to the wall clock. A process that starts later on the same machine
-- can detect whether the clock was set meanwhile. NULL if unknown. A process that stopped normally
-- leaves its row, with the instant, for this comparison alone.
ALTER TABLE nodes ADD COLUMN boot_id BLOB;
ALTER TABLE nodes ADD COLUMN origin INTEGER;
ALTER TABLE nodes ADD COLUMN left_at INTEGER;
