-- id:      sign-ins
-- rows:    sign-ins of people by day, result, country, user, application, risk and factors
-- column:  day date
-- column:  result string
-- column:  country string
-- column:  user_name string
-- column:  application string
-- column:  risk string
-- column:  factors string
-- column:  sign_ins bigint
-- column:  failed bigint
-- column:  risky bigint
-- country: country
SELECT
  day,
  outcome AS result,
  location.country_or_region AS country,
  user_principal_name AS user_name,
  app_display_name AS application,
  CASE WHEN risk_state IN ('none', '') THEN NULL ELSE risk_state END AS risk,
  CASE authentication_requirement
    WHEN 'multiFactorAuthentication' THEN 'MFA'
    WHEN 'singleFactorAuthentication' THEN 'single factor'
    ELSE 'unknown'
  END AS factors,
  count(*) AS sign_ins,
  count(*) FILTER (WHERE outcome = 'failure') AS failed,
  count(*) FILTER (WHERE risk_state NOT IN ('none', '')) AS risky
FROM attempts
WHERE day >= current_date - INTERVAL '90' DAY
  AND event_type IN ('interactiveUser', 'nonInteractiveUser')
GROUP BY 1, 2, 3, 4, 5, 6, 7
