DROP INDEX attempts_full;
DROP INDEX devices_state;
