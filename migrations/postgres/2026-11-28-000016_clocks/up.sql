-- Clocks that are checked.
--
-- The clock of the machine that a process runs on: which start of the machine it is, and the instant of that start if the wall
-- clock is right. A process that starts later on the same machine sees from it whether the clock was set meanwhile. NULL where
-- nobody knows. A process that stopped in good order leaves its row behind, with the instant, for that comparison alone.
ALTER TABLE nodes ADD COLUMN boot_id BYTEA;
ALTER TABLE nodes ADD COLUMN origin BIGINT;
ALTER TABLE nodes ADD COLUMN left_at BIGINT;

-- When the session was last rotated, in milliseconds by the database's own clock, which all processes share: `rotated_at` is by
-- the clock of the process that wrote it. And which server it was that said so, since another has another clock. NULL before the
-- first rotation, and where it was written before these columns.
ALTER TABLE sessions ADD COLUMN rotated_clock BIGINT;
ALTER TABLE sessions ADD COLUMN rotated_server BIGINT;
