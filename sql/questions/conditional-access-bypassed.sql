-- id:       conditional-access-bypassed
-- name:     Who was not asked for MFA where everybody is?
-- summary:  Single-factor sign-ins of the last 7 days that no policy applied to, of users whom
--           policies ask for MFA in the same application otherwise
-- severity: medium
-- technique: T1556.009
-- scans:    eight columns of 30 days of interactive sign-ins
-- fields:   conditionalAccessStatus, authenticationRequirement
-- blind:    applications in which nobody is asked
-- key:      user_name, application
-- told:     {user_name} came into {application} with one factor and no policy[ from {ip_address}][
--           ({country})], {sign_ins} times, the last time {last_at}
SELECT
  max(user_name) AS user_name,
  application,
  count(*) AS sign_ins,
  max(asked) AS asked_otherwise,
  max(ip_address) AS ip_address,
  max(country) AS country,
  max(created_date_time) AS last_at
FROM (
  SELECT
    person,
    user_principal_name AS user_name,
    app_display_name AS application,
    ip_address,
    location.country_or_region AS country,
    created_date_time,
    authentication_requirement,
    conditional_access_status,
    sum(CASE
      WHEN conditional_access_status = 'success' AND authentication_requirement = 'multiFactorAuthentication' THEN 1 ELSE 0
    END) OVER (PARTITION BY person, app_id) AS asked,
    sum(CASE WHEN conditional_access_status = 'notApplied' THEN 1 ELSE 0 END) OVER (PARTITION BY person, app_id) AS not_asked
  FROM attempts
  WHERE day >= current_date - INTERVAL '30' DAY
    AND event_type = 'interactiveUser'
    AND outcome = 'success'
) AS uses
WHERE conditional_access_status = 'notApplied'
  AND authentication_requirement = 'singleFactorAuthentication'
  AND created_date_time >= current_date - INTERVAL '7' DAY
  AND asked >= 5
  AND not_asked * 5 <= asked
GROUP BY person, application
ORDER BY last_at DESC, user_name, application
LIMIT 100
