-- id:       session-changes
-- name:     What was changed in which session?
-- summary:  Sessions in which the directory was changed, with where they were used; the view
--           session_events tells each one's story
-- severity: overview
-- scans:    twelve columns of 30 days of sign-ins of users, nine of directory audits
-- fields:   sessionId, initiatedBy.linkableIdentifiers
-- blind:    without beta the session is unknown, and nothing is shown
SELECT
  max(user_name) AS user_name,
  session_id,
  sum(CASE WHEN table_name = 'directory_audits' THEN 1 ELSE 0 END) AS changes,
  min(CASE WHEN table_name = 'directory_audits' THEN what END) AS one_change,
  sum(CASE WHEN table_name = 'sign_ins' THEN 1 ELSE 0 END) AS sign_ins,
  count(DISTINCT nullif(token_id, '')) AS tokens,
  count(DISTINCT nullif(device_id, '')) AS devices,
  count(DISTINCT nullif(ip_address, '')) AS addresses,
  min(happened_at) AS first_at,
  max(happened_at) AS last_at
FROM session_events
WHERE day >= current_date - INTERVAL '30' DAY
  AND session_id <> ''
GROUP BY session_id
HAVING sum(CASE WHEN table_name = 'directory_audits' THEN 1 ELSE 0 END) > 0
ORDER BY changes DESC, last_at DESC, session_id
LIMIT 100
