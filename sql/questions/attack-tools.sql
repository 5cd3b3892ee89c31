-- id:       attack-tools
-- name:     Who comes with the tools of attackers?
-- summary:  Sign-ins of the last 30 days, successful or not, whose user agent names a tool for
--           attacks on Entra
-- severity: high
-- technique: T1087.004, T1526
-- scans:    seven columns of 30 days of all sign-ins
-- fields:   userAgent
-- blind:    tools that call themselves otherwise, which takes one option
-- key:      who, user_agent
-- told:     [{who} ]came with the user agent '{user_agent}' from {ip_address}: {succeeded} times
--           in, {without_success} times not, the last time {last_at}
SELECT
  coalesce(nullif(user_principal_name, ''), service_principal_name) AS who,
  user_agent,
  count(*) FILTER (WHERE outcome = 'success') AS succeeded,
  count(*) FILTER (WHERE outcome <> 'success') AS without_success,
  max(app_display_name) AS application,
  max(ip_address) AS ip_address,
  max(created_date_time) AS last_at
FROM attempts
WHERE day >= current_date - INTERVAL '30' DAY
  AND (
    lower(user_agent) LIKE '%azurehound%'
    OR lower(user_agent) LIKE '%bloodhound%'
    OR lower(user_agent) LIKE '%teamfiltration%'
    OR lower(user_agent) LIKE '%roadtools%'
    OR lower(user_agent) LIKE '%roadrecon%'
    OR lower(user_agent) LIKE '%aadinternals%'
    OR lower(user_agent) LIKE '%graphrunner%'
    OR lower(user_agent) LIKE '%trevorspray%'
    OR lower(user_agent) LIKE '%msolspray%'
  )
GROUP BY coalesce(nullif(user_principal_name, ''), service_principal_name), user_agent
ORDER BY last_at DESC, who, user_agent
LIMIT 100
