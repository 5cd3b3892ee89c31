-- name:      provisioning_latest
-- rows:      provisioning record: the version of the newest read that brought one
-- table:     provisioning
-- column:    recency bigint
SELECT * FROM (
SELECT *, row_number() OVER (
PARTITION BY day, id
ORDER BY first_seen DESC, content_hash
) AS recency
FROM provisioning
) AS versions
WHERE recency = 1
