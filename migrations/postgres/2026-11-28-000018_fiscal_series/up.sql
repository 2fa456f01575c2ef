-- A fiscal memory is one however its name is spelled: its series is named by the folded name. The program brings together the series
-- that were separate before this, since SQL cannot fold (crates/persistence/src/migrate/fiscal_series.rs).
UPDATE receipt_series SET number = number WHERE number < 0;
