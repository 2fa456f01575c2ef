-- The clock of the machine that a process runs on: which start of the machine it is, and the instant of that start if the wall
-- clock is right. A process that starts later on the same machine sees from it whether the clock was set meanwhile. NULL where
-- nobody knows. A process that stopped in good order leaves its row behind, with the instant, for that comparison alone.
ALTER TABLE nodes ADD COLUMN boot_id BLOB;
ALTER TABLE nodes ADD COLUMN origin INTEGER;
ALTER TABLE nodes ADD COLUMN left_at INTEGER;
