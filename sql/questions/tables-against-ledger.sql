-- id:        tables-against-ledger
-- name:      Do the tables hold what the ledger promises?
-- summary:   Reads of the last 90 days whose rows in the tables are fewer or more than their line
--           in the ledger says, by stream and day
-- severity:  medium
-- scans:     the ledger, and two narrow columns of both tables
--
-- Answers whether a table object is missing, was exchanged or was added. Fewer rows than promised:
-- an object is gone or was cut; entratrail rebuild makes it again from the raw records. More rows:
-- an object was added that no read stored. A content that was changed and kept its number of rows
-- is not seen here: entratrail verify compares SHA-256.
SELECT
  stream,
  day,
  first_seen AS read_at,
  promised_rows,
  table_rows
FROM tables_and_ledger
WHERE day >= current_date - INTERVAL '90' DAY
  AND promised_rows <> table_rows
ORDER BY day DESC, stream, first_seen
LIMIT 400
