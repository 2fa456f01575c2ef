-- A fiscal memory has one series, however its name is spelled: the series is named by the folded
-- name. The program merges the series that were separate before this migration, since SQL cannot
-- fold (crates/persistence/src/migration/fiscal_series.rs).
UPDATE receipt_series SET number = number WHERE number < 0;
