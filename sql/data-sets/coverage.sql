-- id:      coverage
-- rows:    minutes of each day and stream by what the ledger proves of them
-- column:  stream string
-- column:  day date
-- column:  verified_minutes bigint
-- column:  open_minutes bigint
-- column:  unstable_minutes bigint
-- column:  missing_minutes bigint
SELECT stream, day, verified_minutes, open_minutes, unstable_minutes, missing_minutes
FROM coverage
WHERE day >= current_date - INTERVAL '90' DAY
