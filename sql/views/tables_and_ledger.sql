-- name:      tables_and_ledger
-- rows:      read that stored records, with the rows that the ledger promises (`promised_rows`) and those that the tables hold (`table_rows`)
-- column:    stream string
-- column:    day date
-- column:    first_seen timestamp
-- column:    promised_rows bigint
-- column:    table_rows bigint
SELECT stream, day, first_seen, sum(promised) AS promised_rows, sum(held) AS table_rows
FROM (
SELECT stream, day, started_at AS first_seen, coalesce(table_rows, new) AS promised, CAST(0 AS BIGINT) AS held
FROM reads
WHERE status = 'complete' AND key IS NOT NULL
UNION ALL
SELECT event_type AS stream, day, CAST(first_seen AS TIMESTAMP) AS first_seen, CAST(0 AS BIGINT) AS promised, CAST(1 AS BIGINT) AS held
FROM sign_ins
UNION ALL
SELECT 'directory-audits' AS stream, day, CAST(first_seen AS TIMESTAMP) AS first_seen, CAST(0 AS BIGINT) AS promised, CAST(1 AS BIGINT) AS held
FROM directory_audits
UNION ALL
SELECT 'provisioning' AS stream, day, CAST(first_seen AS TIMESTAMP) AS first_seen, CAST(0 AS BIGINT) AS promised, CAST(1 AS BIGINT) AS held
FROM provisioning
) AS rows_of_both
GROUP BY stream, day, first_seen
