DROP TABLE seen_signatures;
DROP TABLE api_keys;
