DROP TABLE resets;
DROP TABLE reset_requests;
