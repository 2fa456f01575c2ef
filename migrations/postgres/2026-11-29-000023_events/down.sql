ALTER TABLE meta DROP COLUMN events_swept;
DROP TABLE events;
