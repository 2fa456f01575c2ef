DROP INDEX users_in_order;
