-- id:       risky-sign-ins
-- name:     Which sign-ins are risky?
-- summary:  Sign-ins of the last 30 days that Entra ID Protection holds a risk for, the open and
--           high ones first
-- severity: high
-- technique: T1078.004
-- scans:    eleven columns of 30 days of all sign-ins
-- fields:   riskState, riskLevelAggregated, riskEventTypes_v2
-- blind:    tenants without P2 see states and no levels
-- key:      happened_at, who, risk_state, succeeded
-- told:     {who} signed in [to {application} ]at {risk_level} risk[ ({detections})] from
--           {ip_address}[ ({country})], with success: {succeeded}, risk now {risk_state},
--           {happened_at}
--
-- A level that is low, with the state none, is what Entra says of sign-ins that are no matter; it
-- is left out.
SELECT
  created_date_time AS happened_at,
  coalesce(nullif(user_principal_name, ''), service_principal_name) AS who,
  risk_state,
  risk_level_aggregated AS risk_level,
  array_join(risk_event_types_v2, ', ') AS detections,
  risk_detail,
  CASE WHEN outcome = 'success' THEN 'yes' ELSE 'no' END AS succeeded,
  ip_address,
  location.country_or_region AS country,
  app_display_name AS application
FROM attempts
WHERE day >= current_date - INTERVAL '30' DAY
  AND (
    lower(risk_state) NOT IN ('none', 'confirmedsafe', 'dismissed', 'remediated', '')
    OR lower(risk_level_aggregated) IN ('medium', 'high')
  )
ORDER BY
  CASE WHEN lower(risk_state) IN ('atrisk', 'confirmedcompromised') THEN 0 ELSE 1 END,
  CASE lower(risk_level_aggregated) WHEN 'high' THEN 0 WHEN 'medium' THEN 1 WHEN 'low' THEN 2 ELSE 3 END,
  happened_at DESC,
  id
LIMIT 200
