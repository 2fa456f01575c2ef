DROP TABLE mail_queue;
DROP TABLE email_verifications;
ALTER TABLE invitations DROP COLUMN email;
ALTER TABLE users DROP COLUMN email_verified_at;
