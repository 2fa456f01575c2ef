DROP INDEX live_events_changed;
