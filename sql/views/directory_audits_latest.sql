-- name:      directory_audits_latest
-- rows:      directory audit: the version of the newest read that brought one
-- table:     directory_audits
-- column:    recency bigint
SELECT * FROM (
SELECT *, row_number() OVER (
PARTITION BY day, id
ORDER BY first_seen DESC, content_hash
) AS recency
FROM directory_audits
) AS versions
WHERE recency = 1
