-- name:      coverage
-- rows:      stream and day, with minutes that are verified, from before the archive began,
--           open, unstable, missing and expired
-- column:    stream string
-- column:    day date
-- column:    state string
-- column:    verified_minutes bigint
-- column:    before_minutes bigint
-- column:    open_minutes bigint
-- column:    unstable_minutes bigint
-- column:    missing_minutes bigint
-- column:    expired_minutes bigint
-- column:    failed_reads bigint
-- column:    last_read_at timestamp
-- column:    last_error string
WITH proving AS (
SELECT stream, window_start, window_end, read, started_at, kept_since, new,
CASE WHEN new = 0 AND missing = 0 THEN 0 ELSE 1 END AS finds,
sum(CASE WHEN new = 0 AND missing = 0 THEN 0 ELSE 1 END)
OVER (PARTITION BY stream, window_start, window_end ORDER BY read ROWS UNBOUNDED PRECEDING) AS finds_so_far,
sum(new) OVER (PARTITION BY stream, window_start, window_end ORDER BY read DESC ROWS UNBOUNDED PRECEDING) AS new_since
FROM reads
WHERE status = 'complete' AND format IS NOT NULL
),
verified AS (
SELECT DISTINCT later.stream AS stream, later.window_start AS window_start, later.window_end AS window_end
FROM proving AS earlier
JOIN proving AS later ON later.stream = earlier.stream AND later.window_start = earlier.window_start
AND later.window_end = earlier.window_end AND later.read > earlier.read
WHERE later.finds = 0 AND later.new_since = 0 AND later.finds_so_far = earlier.finds_so_far
AND later.started_at >= later.window_end + INTERVAL '24' HOUR
AND later.started_at >= earlier.started_at + INTERVAL '20' HOUR
AND (earlier.started_at <= later.window_start + INTERVAL '144' HOUR OR later.kept_since <= later.window_start)
),
streams AS (
SELECT began.stream AS stream, began.first_day AS first_day, began.first_read AS first_read, proved.oldest AS oldest_verified
FROM (SELECT stream, min(day) AS first_day, min(started_at) AS first_read FROM reads GROUP BY stream) AS began
LEFT JOIN (SELECT stream, min(window_start) AS oldest FROM verified GROUP BY stream) AS proved ON proved.stream = began.stream
),
windows AS (
SELECT complete.stream AS stream, complete.day AS day, complete.minutes AS minutes, complete.last_read_at AS last_read_at,
CASE WHEN verified.stream IS NOT NULL THEN 'verified'
WHEN complete.window_end < streams.first_read
AND (streams.oldest_verified IS NULL OR complete.window_start < streams.oldest_verified) THEN 'before'
WHEN complete.day < current_date - INTERVAL '30' DAY THEN 'expired'
WHEN complete.finds >= 7 THEN 'unstable' ELSE 'open' END AS state
FROM (
SELECT stream, day, window_start, window_end, max(started_at) AS last_read_at,
sum(CASE WHEN format IS NULL OR (new = 0 AND missing = 0) THEN 0 ELSE 1 END) AS finds,
CAST((to_unixtime(window_end) - to_unixtime(window_start)) / 60 AS BIGINT) AS minutes
FROM reads
WHERE status = 'complete'
GROUP BY stream, day, window_start, window_end
) AS complete
JOIN streams ON streams.stream = complete.stream
LEFT JOIN verified ON verified.stream = complete.stream AND verified.window_start = complete.window_start
AND verified.window_end = complete.window_end
),
proven AS (
SELECT stream, day,
sum(CASE WHEN state = 'verified' THEN minutes ELSE 0 END) AS verified_minutes,
sum(CASE WHEN state = 'before' THEN minutes ELSE 0 END) AS before_minutes,
sum(CASE WHEN state = 'open' THEN minutes ELSE 0 END) AS open_minutes,
sum(CASE WHEN state = 'unstable' THEN minutes ELSE 0 END) AS unstable_minutes,
sum(CASE WHEN state = 'expired' THEN minutes ELSE 0 END) AS expired_minutes,
sum(minutes) AS read_minutes,
max(last_read_at) AS last_read_at
FROM windows
GROUP BY stream, day
),
failed AS (
SELECT stream, day, count(*) AS failed_reads, max(error) AS last_error
FROM reads
WHERE status = 'failed'
GROUP BY stream, day
),
days AS (
SELECT stream, CAST(from_unixtime(first_second + 86400 * (100 * (hundreds.position - 1) + ones.position - 1)) AS DATE) AS day
FROM (
SELECT stream, CAST(to_unixtime(CAST(first_day AS TIMESTAMP)) AS BIGINT) AS first_second,
CAST(to_unixtime(CAST(current_date AS TIMESTAMP)) AS BIGINT) AS end_second
FROM streams
) AS bounds
CROSS JOIN positions AS hundreds
CROSS JOIN positions AS ones
WHERE hundreds.size = 100 AND ones.size = 100 AND first_second + 86400 * (100 * (hundreds.position - 1) + ones.position - 1) < end_second
),
totals AS (
SELECT days.stream AS stream, days.day AS day,
coalesce(proven.verified_minutes, 0) AS verified_minutes,
coalesce(proven.before_minutes, 0) AS before_minutes,
coalesce(proven.open_minutes, 0) AS open_minutes,
coalesce(proven.unstable_minutes, 0) AS unstable_minutes,
CASE WHEN days.day < current_date - INTERVAL '30' DAY THEN 0 ELSE 1440 - coalesce(proven.read_minutes, 0) END AS missing_minutes,
coalesce(proven.expired_minutes, 0)
+ CASE WHEN days.day < current_date - INTERVAL '30' DAY THEN 1440 - coalesce(proven.read_minutes, 0) ELSE 0 END AS expired_minutes,
coalesce(failed.failed_reads, 0) AS failed_reads,
proven.last_read_at AS last_read_at,
failed.last_error AS last_error
FROM days
LEFT JOIN proven ON proven.stream = days.stream AND proven.day = days.day
LEFT JOIN failed ON failed.stream = days.stream AND failed.day = days.day
)
SELECT stream, day,
CAST(CASE WHEN expired_minutes > 0 THEN 'expired' WHEN missing_minutes > 0 THEN 'missing' WHEN unstable_minutes > 0 THEN 'unstable'
WHEN open_minutes > 0 THEN 'open' WHEN before_minutes > 0 THEN 'before' ELSE 'verified' END AS VARCHAR) AS state,
verified_minutes, before_minutes, open_minutes, unstable_minutes, missing_minutes, expired_minutes, failed_reads, last_read_at, last_error
FROM totals
