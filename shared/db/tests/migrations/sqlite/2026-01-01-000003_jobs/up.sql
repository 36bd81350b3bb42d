CREATE TABLE jobs (
    number INTEGER NOT NULL PRIMARY KEY,
    worker BIGINT
);
