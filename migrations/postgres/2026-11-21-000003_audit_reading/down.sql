DROP INDEX audit_action;
DROP INDEX audit_device;
DROP INDEX audit_user;
