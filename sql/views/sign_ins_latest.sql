-- name:      sign_ins_latest
-- rows:      sign-in: the version of the newest read that brought one. Of two versions in one
--           read it is the one with a risk
-- table:     sign_ins
-- column:    recency bigint
SELECT * FROM (
SELECT *, row_number() OVER (
PARTITION BY event_type, day, id
ORDER BY first_seen DESC, CASE WHEN risk_state IN ('none', '') THEN 1 ELSE 0 END, content_hash
) AS recency
FROM sign_ins
) AS versions
WHERE recency = 1
