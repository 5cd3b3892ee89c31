-- id:       conditional-access-bypassed
-- name:     Who was not asked for MFA where everybody is?
-- summary:  Single-factor sign-ins of the last 7 days that no policy applied to, of users whom
--           policies ask for MFA in the same application otherwise
-- severity: medium
-- technique: T1556.009
-- scans:    eight columns of 30 days of interactive sign-ins
-- fields:   conditionalAccessStatus, authenticationRequirement
-- blind:    applications in which nobody is asked; whoever sits behind an address of five or more users
-- key:      user_name, application
-- told:     {user_name} came into {application} with one factor and no policy[ from {ip_address}][
--           ({country})], {sign_ins} times, the last time {last_at}
--
-- Policies often leave out the office: an address of five or more users is a gateway and is left out, as
-- is a trusted network.
SELECT
  max(uses.user_name) AS user_name,
  uses.application,
  CAST(sum(uses.sign_ins) AS BIGINT) AS sign_ins,
  max(uses.asked) AS asked_otherwise,
  max(uses.ip_address) AS ip_address,
  max(uses.country) AS country,
  max(uses.last_at) AS last_at
FROM (
  SELECT
    *,
    sum(CASE WHEN policies = 'success' AND factors = 'multiFactorAuthentication' THEN sign_ins ELSE 0 END)
      OVER (PARTITION BY person, app_id) AS asked,
    sum(CASE WHEN policies = 'notApplied' THEN sign_ins ELSE 0 END) OVER (PARTITION BY person, app_id) AS not_asked
  FROM (
    SELECT
      person,
      app_id,
      app_display_name AS application,
      address,
      authentication_requirement AS factors,
      conditional_access_status AS policies,
      CASE WHEN created_date_time >= current_date - INTERVAL '7' DAY THEN 'yes' ELSE 'no' END AS is_recent,
      max(user_principal_name) AS user_name,
      max(ip_address) AS ip_address,
      max(location.country_or_region) AS country,
      count(*) AS sign_ins,
      max(created_date_time) AS last_at
    FROM attempts
    WHERE day >= current_date - INTERVAL '30' DAY
      AND event_type = 'interactiveUser'
      AND outcome = 'success'
    GROUP BY
      person, app_id, app_display_name, address, authentication_requirement, conditional_access_status,
      CASE WHEN created_date_time >= current_date - INTERVAL '7' DAY THEN 'yes' ELSE 'no' END
  ) AS places
) AS uses
LEFT JOIN settings ON settings.kind = 'trusted-network' AND uses.address LIKE settings.value || '%'
LEFT JOIN gateways ON gateways.address = uses.address
WHERE uses.policies = 'notApplied'
  AND uses.factors = 'singleFactorAuthentication'
  AND uses.is_recent = 'yes'
  AND uses.asked >= 5
  AND uses.not_asked * 5 <= uses.asked
  AND gateways.address IS NULL
  AND settings.value IS NULL
GROUP BY uses.person, uses.application
ORDER BY last_at DESC, user_name, application
LIMIT 100
