-- Nothing to restore: no process needs the removed changes.
SELECT 1;
