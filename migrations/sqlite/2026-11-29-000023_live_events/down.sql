ALTER TABLE meta DROP COLUMN live_events_swept;
DROP TABLE live_events;
