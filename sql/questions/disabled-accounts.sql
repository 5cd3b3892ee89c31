-- id:       disabled-accounts
-- name:     Which addresses try accounts that are disabled or locked?
-- summary:  Addresses that tried three or more disabled or locked accounts in a day, more than they
--           got into, and whom they got into
-- severity: medium
-- technique: T1078.004, T1110
-- scans:    seven columns of 30 days of sign-ins of users
-- fields:   ipAddress, status.errorCode
-- blind:    addresses that try fewer, such as the phone of somebody who left
-- key:      ip_address, day, one_who_signed_in
-- told:     {ip_address} tried {accounts} disabled or locked accounts, such as {one_account}, and
--           got into {users_signed_in}[, such as {one_who_signed_in}], the last time {last_at}
--
-- Codes: 50057 disabled, 50053 locked.
SELECT
  address AS ip_address,
  day,
  count(CASE WHEN refused > 0 THEN person END) AS accounts,
  max(CASE WHEN refused > 0 THEN user_name END) AS one_account,
  count(CASE WHEN succeeded > 0 THEN person END) AS users_signed_in,
  max(CASE WHEN succeeded > 0 THEN user_name END) AS one_who_signed_in,
  max(last_at) AS last_at
FROM (
  SELECT
    address,
    day,
    person,
    max(user_principal_name) AS user_name,
    count(*) FILTER (WHERE status.error_code IN (50057, 50053)) AS refused,
    count(*) FILTER (WHERE outcome = 'success') AS succeeded,
    max(created_date_time) AS last_at
  FROM attempts
  WHERE day >= current_date - INTERVAL '30' DAY
    AND event_type IN ('interactiveUser', 'nonInteractiveUser')
    AND address <> ''
  GROUP BY address, day, person
) AS users
GROUP BY address, day
HAVING count(CASE WHEN refused > 0 THEN person END) >= 3
  AND count(CASE WHEN refused > 0 THEN person END) > count(CASE WHEN succeeded > 0 THEN person END)
ORDER BY accounts DESC, day DESC, ip_address
LIMIT 100
