-- id:       mfa-fatigue
-- name:     Who was worn down by MFA prompts?
-- summary:  MFA fatigue: five or more prompts that a user refused or ignored within an hour, and
--           whether one was then accepted
-- severity: high
-- technique: T1621
-- scans:    ten columns of 30 days of sign-ins of users
-- fields:   status.errorCode, originalRequestId, mfaDetail.authMethod, authenticationDetails
-- blind:    prompts that are more than twelve minutes apart on average
-- key:      user_name, day, accepted_in_the_end
-- told:     {user_name} refused or ignored {refused_within_an_hour} prompts within an hour; one was
--           then accepted: {accepted_in_the_end}[, from {accepted_from}], {first_at} to {last_at}
--
-- Answers who refused or ignored five or more prompts within an hour, from when to when, and
-- whether a sign-in followed within that hour. Records of one request are one prompt; codes that
-- somebody types are none. Codes: 500121 refused or not answered, 50088 limit of calls reached.
SELECT
  max(user_name) AS user_name,
  day,
  max(refused_until) AS refused_within_an_hour,
  max(CASE WHEN accepted = 1 AND refused_until >= 5 THEN 'yes' ELSE 'no' END) AS accepted_in_the_end,
  max(CASE WHEN accepted = 1 AND refused_until >= 5 THEN ip_address END) AS accepted_from,
  min(CASE WHEN refused_from >= 5 THEN prompted_at END) AS first_at,
  max(CASE WHEN refused_until >= 5 THEN prompted_at END) AS last_at
FROM (
  SELECT
    *,
    sum(refused) OVER (
      PARTITION BY person ORDER BY prompted_at RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW
    ) AS refused_until,
    sum(refused) OVER (
      PARTITION BY person ORDER BY prompted_at RANGE BETWEEN CURRENT ROW AND INTERVAL '1' HOUR FOLLOWING
    ) AS refused_from
  FROM (
    SELECT
      person,
      day,
      coalesce(nullif(original_request_id, ''), id) AS prompt,
      max(user_principal_name) AS user_name,
      max(ip_address) AS ip_address,
      max(CASE WHEN status.error_code IN (500121, 50088) THEN 1 ELSE 0 END) AS refused,
      max(CASE WHEN outcome = 'success' THEN 1 ELSE 0 END) AS accepted,
      min(created_date_time) AS prompted_at
    FROM attempts
    WHERE day >= current_date - INTERVAL '30' DAY
      AND event_type IN ('interactiveUser', 'nonInteractiveUser')
      AND status.error_code IN (0, 500121, 50088)
      AND lower(second_factor) NOT LIKE '%code%'
      AND lower(second_factor) NOT LIKE '%oath%'
      AND person IN (
        SELECT person
        FROM attempts
        WHERE day >= current_date - INTERVAL '30' DAY
          AND event_type IN ('interactiveUser', 'nonInteractiveUser')
          AND status.error_code IN (500121, 50088)
        GROUP BY person
        HAVING count(DISTINCT coalesce(nullif(original_request_id, ''), id)) >= 5
      )
    GROUP BY person, day, coalesce(nullif(original_request_id, ''), id)
  ) AS prompts
) AS counted
GROUP BY person, day
HAVING max(refused_until) >= 5
ORDER BY refused_within_an_hour DESC, day DESC, user_name
LIMIT 100
