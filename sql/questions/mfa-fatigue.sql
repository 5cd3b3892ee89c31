-- id:        mfa-fatigue
-- name:      Who was worn down by MFA prompts?
-- summary:   MFA fatigue: five or more prompts that a user refused or ignored within an hour,
--           and whether one was then accepted
-- severity:  high
-- technique: T1621
-- scans:     seven columns of 30 days of sign-ins of users
--
-- Answers who refused or ignored five or more prompts within an hour, when the last one came,
-- and whether a sign-in followed. Codes: 500121 refused or not answered, 50088 limit of calls
-- reached.
SELECT
  max(user_principal_name) AS user_name,
  day,
  max(refused) AS refused_within_an_hour,
  max(CASE WHEN status.error_code = 0 THEN 'yes' ELSE 'no' END) AS accepted_in_the_end,
  max(CASE WHEN status.error_code = 0 THEN ip_address END) AS accepted_from,
  min(created_date_time) AS first_at,
  max(created_date_time) AS last_at
FROM (
  SELECT
    *,
    sum(CASE WHEN status.error_code IN (500121, 50088) THEN 1 ELSE 0 END) OVER (
      PARTITION BY user_id
      ORDER BY created_date_time
      RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW
    ) AS refused
  FROM sign_ins_latest
  WHERE day >= current_date - INTERVAL '30' DAY
    AND event_type IN ('interactiveUser', 'nonInteractiveUser')
    AND user_id IN (
      SELECT user_id
      FROM sign_ins_latest
      WHERE day >= current_date - INTERVAL '30' DAY
        AND status.error_code IN (500121, 50088)
      GROUP BY user_id
      HAVING count(*) >= 5
    )
) AS counted
WHERE refused >= 5
GROUP BY user_id, day
ORDER BY refused_within_an_hour DESC, day DESC, user_name
LIMIT 100
