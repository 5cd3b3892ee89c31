-- id:        late-records
-- name:      How many records arrived late?
-- summary:   Records of the last 90 days that a second or later read found, by day and stream
-- severity:  overview
-- scans:     the ledger, which has one line for each read
--
-- Answers how many records of each day Graph did not serve at the first read, and how many it
-- changed afterwards.
SELECT
  day,
  stream,
  sum(new - changed) AS late_records,
  sum(changed) AS changed_records,
  max(started_at) AS last_found_at
FROM reads
WHERE day >= current_date - INTERVAL '90' DAY
  AND status = 'complete'
  AND read >= 2
  AND new > 0
GROUP BY day, stream
ORDER BY day DESC, stream
LIMIT 400
