CREATE TABLE jobs (
    number BIGINT NOT NULL PRIMARY KEY,
    worker BIGINT
);
