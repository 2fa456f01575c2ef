-- Clocks that are checked.
--
-- The clock of the machine on which a process runs: the id of that start of the machine, and the
-- instant of the start according to the wall clock. A process that starts later on the same machine
-- can detect whether the clock was set meanwhile. NULL if unknown. A process that stopped normally
-- leaves its row, with the instant, for this comparison alone.
ALTER TABLE nodes ADD COLUMN boot_id BYTEA;
ALTER TABLE nodes ADD COLUMN origin BIGINT;
ALTER TABLE nodes ADD COLUMN left_at BIGINT;

-- When the session was last rotated, in milliseconds by the database's own clock, which all
-- processes share (`rotated_at` is by the clock of the process that wrote it), and the server with
-- that clock, since another server has another clock. NULL before the first rotation, and for
-- rotations before this migration.
ALTER TABLE sessions ADD COLUMN rotated_clock BIGINT;
ALTER TABLE sessions ADD COLUMN rotated_server BIGINT;
