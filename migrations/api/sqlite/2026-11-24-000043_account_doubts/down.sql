DROP TABLE account_doubts;
