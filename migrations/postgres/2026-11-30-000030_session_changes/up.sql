-- The feed contains no changes of the first uses of a session: each process reads those again in
-- time. A process cannot read such a change. That a session has ended (`ended`) stays.
DELETE FROM changes WHERE kind = 'touched' AND scope = 'session';
