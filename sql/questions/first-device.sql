-- id:       first-device
-- name:     Who signed in with a device for the first time?
-- summary:  Successful sign-ins of the last 7 days with a device that the user never used in the 90
--           days before
-- severity: low
-- technique: T1078.004
-- scans:    seven columns of 90 days of interactive sign-ins
-- fields:   deviceDetail
-- blind:    unregistered devices with a system that the user has already
--
-- A device that is not registered has no id; it is told apart by its operating system, without the
-- version.
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
    person,
    device,
    max(user_name) AS user_name,
    max(operating_system) AS operating_system,
    max(managed) AS managed,
    count(*) AS sign_ins,
    max(ip_address) AS ip_address,
    min(created_date_time) AS first_with_device,
    min(min(created_date_time)) OVER (PARTITION BY person) AS first_ever
  FROM (
    SELECT
      person,
      user_principal_name AS user_name,
      device_detail.operating_system AS operating_system,
      CASE WHEN device_detail.is_managed THEN 'yes' ELSE 'no' END AS managed,
      ip_address,
      created_date_time,
      coalesce(nullif(device_detail.device_id, ''), CASE
        WHEN lower(device_detail.operating_system) LIKE 'win%' THEN 'Windows'
        WHEN lower(device_detail.operating_system) LIKE 'mac%' THEN 'macOS'
        WHEN lower(device_detail.operating_system) LIKE 'ios%' THEN 'iOS'
        WHEN lower(device_detail.operating_system) LIKE 'ipados%' THEN 'iOS'
        WHEN lower(device_detail.operating_system) LIKE 'android%' THEN 'Android'
        WHEN lower(device_detail.operating_system) LIKE '%linux%' THEN 'Linux'
        ELSE lower(device_detail.operating_system)
      END) AS device
    FROM attempts
    WHERE day >= current_date - INTERVAL '90' DAY
      AND event_type = 'interactiveUser'
      AND outcome = 'success'
  ) AS uses
  WHERE device <> ''
  GROUP BY person, device
) AS devices
WHERE first_with_device >= current_date - INTERVAL '7' DAY
  AND first_with_device >= first_ever + INTERVAL '1' DAY
ORDER BY first_at DESC, user_name, device
LIMIT 100
