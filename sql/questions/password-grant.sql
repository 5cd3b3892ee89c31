-- id:       password-grant
-- name:     Who signs in by handing the password to an application?
-- summary:  Sign-ins of the last 30 days by the password grant (ROPC), which no second factor can
--           stop, and by the clients that disguise it
-- severity: medium
-- technique: T1078.004, T1110.003
-- scans:    seven columns of 30 days of sign-ins of users
-- fields:   authenticationProtocol, userAgent
-- blind:    without beta the protocol is unknown, and only the disguises are seen
-- key:      user_name, application
-- told:     {user_name} hands the password to {application}[ from {ip_address}]: {succeeded} times
--           in, {failed} times not, the last time {last_at}
SELECT
  user_principal_name AS user_name,
  app_display_name AS application,
  max(user_agent) AS user_agent,
  count(*) FILTER (WHERE outcome = 'success') AS succeeded,
  count(*) FILTER (WHERE outcome = 'failure') AS failed,
  max(ip_address) AS ip_address,
  max(created_date_time) AS last_at
FROM attempts
WHERE day >= current_date - INTERVAL '30' DAY
  AND event_type IN ('interactiveUser', 'nonInteractiveUser')
  AND (
    lower(coalesce(authentication_protocol, '')) LIKE '%ropc%'
    OR lower(coalesce(user_agent, '')) LIKE 'bav2ropc%'
    OR lower(coalesce(user_agent, '')) LIKE 'cbainprod%'
    OR lower(coalesce(user_agent, '')) LIKE 'cbaintar%'
  )
GROUP BY user_principal_name, app_display_name
ORDER BY succeeded DESC, failed DESC, user_name, application
LIMIT 200
