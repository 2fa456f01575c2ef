DROP INDEX tickets_number;
