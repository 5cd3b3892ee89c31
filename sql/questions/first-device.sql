-- id:        first-device
-- name:      Who signed in with a device for the first time?
-- summary:   Successful sign-ins of the last 7 days with a device that the user never used in
--           the 90 days before
-- severity:  low
-- technique: T1078.004
-- scans:     six columns of 90 days of interactive sign-ins
--
-- Answers who came in with a device that they had not used within 90 days, being known for at
-- least a day before. A device that is not registered has no id; it is told apart by its
-- operating system.
SELECT
  user_name,
  device,
  operating_system,
  managed,
  first_with_device AS first_at,
  sign_ins,
  ip_address
FROM (
  SELECT
    user_id,
    coalesce(nullif(device_detail.device_id, ''), device_detail.operating_system) AS device,
    max(user_principal_name) AS user_name,
    max(device_detail.operating_system) AS operating_system,
    max(CASE WHEN device_detail.is_managed THEN 'yes' ELSE 'no' END) AS managed,
    count(*) AS sign_ins,
    max(ip_address) AS ip_address,
    min(created_date_time) AS first_with_device,
    min(min(created_date_time)) OVER (PARTITION BY user_id) AS first_ever
  FROM sign_ins_latest
  WHERE day >= current_date - INTERVAL '90' DAY
    AND event_type = 'interactiveUser'
    AND status.error_code = 0
    AND coalesce(nullif(device_detail.device_id, ''), device_detail.operating_system) <> ''
  GROUP BY user_id, coalesce(nullif(device_detail.device_id, ''), device_detail.operating_system)
) AS devices
WHERE first_with_device >= current_date - INTERVAL '7' DAY
  AND first_with_device >= first_ever + INTERVAL '1' DAY
ORDER BY first_at DESC, user_name, device
LIMIT 100
