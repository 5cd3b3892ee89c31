-- id:        coverage-gaps
-- name:      What is missing in the archive?
-- summary:   Days of the last 90 with minutes that were never read, or whose reads never
--           agreed, by stream
-- severity:  medium
-- scans:     the ledger, which has one line for each read
--
-- Answers for which stream and day the archive cannot be proven complete although it should be
-- by now. A day that was read waits for the read that proves it; it is a gap when that did not
-- come within three days.
SELECT
  stream,
  day,
  state,
  missing_minutes,
  unstable_minutes,
  open_minutes,
  before_minutes,
  expired_minutes,
  verified_minutes,
  failed_reads,
  last_error
FROM coverage
WHERE day >= current_date - INTERVAL '90' DAY
  AND (
    missing_minutes > 0
    OR unstable_minutes > 0
    OR (open_minutes > 0 AND last_read_at < current_date - INTERVAL '3' DAY)
  )
ORDER BY day DESC, stream
LIMIT 400
