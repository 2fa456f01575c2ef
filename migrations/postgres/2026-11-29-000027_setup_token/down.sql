DROP TABLE setup_token;
