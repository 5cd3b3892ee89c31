-- id:       legacy-protocols
-- name:     Which legacy protocols are still in use?
-- summary:  Sign-ins of the last 30 days by protocols that know no second factor, such as IMAP, POP
--           and SMTP
-- severity: medium
-- technique: T1078.004
-- scans:    seven columns of 30 days of sign-ins of users
-- fields:   clientAppUsed
-- blind:    modern protocols without a second factor: see the password grant
-- key:      protocol, application, user_name
-- told:     {user_name} uses {protocol}[ with {application}]: {succeeded} times in, {failed} times
--           not, the last time {last_at}
--
-- Modern clients call themselves "Browser" or "Mobile Apps and Desktop clients"; everything else is
-- legacy.
SELECT
  client_app_used AS protocol,
  app_display_name AS application,
  user_principal_name AS user_name,
  count(*) FILTER (WHERE outcome = 'success') AS succeeded,
  count(*) FILTER (WHERE outcome = 'failure') AS failed,
  max(created_date_time) AS last_at
FROM attempts
WHERE day >= current_date - INTERVAL '30' DAY
  AND event_type IN ('interactiveUser', 'nonInteractiveUser')
  AND client_app_used <> ''
  AND lower(client_app_used) NOT IN ('browser', 'mobile apps and desktop clients')
GROUP BY client_app_used, app_display_name, user_principal_name
ORDER BY succeeded DESC, failed DESC, user_name, application, protocol
LIMIT 200
