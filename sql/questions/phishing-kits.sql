-- id:       phishing-kits
-- name:     Who got in with a script instead of a browser?
-- summary:  Successful sign-ins of users within 30 days whose user agent is that of a library that
--           phishing kits are built with
-- severity: high
-- technique: T1557, T1566.002
-- scans:    seven columns of 30 days of sign-ins of users
-- fields:   userAgent
-- blind:    kits that pass on the user agent of the victim, or call themselves okhttp
-- key:      user_name, user_agent
-- told:     {user_name} got in [to {application} ]with the script '{user_agent}' from {ip_address}[
--           ({country})], {first_at} to {last_at}
--
-- Kits that sit between a user and Microsoft speak with axios, undici, node or a library of Go or
-- Python. A user's own script does so as well: know it, or forbid it. okhttp is not among them, because
-- applications on Android speak with it.
SELECT
  user_principal_name AS user_name,
  user_agent,
  max(app_display_name) AS application,
  count(*) AS sign_ins,
  count(DISTINCT ip_address) AS addresses,
  max(ip_address) AS ip_address,
  max(location.country_or_region) AS country,
  min(created_date_time) AS first_at,
  max(created_date_time) AS last_at
FROM attempts
WHERE day >= current_date - INTERVAL '30' DAY
  AND event_type IN ('interactiveUser', 'nonInteractiveUser')
  AND outcome = 'success'
  AND (
    lower(user_agent) LIKE 'axios/%'
    OR lower(user_agent) LIKE '%undici%'
    OR lower(user_agent) IN ('node', 'node-fetch')
    OR lower(user_agent) LIKE 'node-fetch/%'
    OR lower(user_agent) LIKE 'go-http-client/%'
    OR lower(user_agent) LIKE 'python-requests/%'
    OR lower(user_agent) LIKE 'python-httpx/%'
    OR lower(user_agent) LIKE 'aiohttp/%'
    OR lower(user_agent) LIKE 'curl/%'
  )
GROUP BY user_principal_name, user_agent
ORDER BY last_at DESC, user_name, user_agent
LIMIT 100
