-- id:        risky-sign-ins
-- name:      Which sign-ins are risky?
-- summary:   Sign-ins of the last 30 days that Entra ID Protection holds a risk for, the open
--           and high ones first
-- severity:  high
-- technique: T1078.004
-- scans:     ten columns of 30 days of all sign-ins
--
-- Answers which sign-ins Entra considers risky, why, whether that is settled, and whether they
-- succeeded. Entra shows levels to tenants with P2 only; with P1 the level is "hidden" and the
-- state is what counts.
SELECT
  created_date_time AS happened_at,
  coalesce(nullif(user_principal_name, ''), service_principal_name) AS who,
  risk_state,
  risk_level_aggregated AS risk_level,
  array_join(risk_event_types_v2, ', ') AS detections,
  risk_detail,
  CASE WHEN status.error_code = 0 THEN 'yes' ELSE 'no' END AS succeeded,
  ip_address,
  location.country_or_region AS country,
  app_display_name AS application
FROM sign_ins_latest
WHERE day >= current_date - INTERVAL '30' DAY
  AND (
    risk_state NOT IN ('none', 'confirmedSafe', '')
    OR risk_level_aggregated IN ('low', 'medium', 'high')
  )
ORDER BY
  CASE WHEN risk_state IN ('atRisk', 'confirmedCompromised') THEN 0 ELSE 1 END,
  CASE risk_level_aggregated WHEN 'high' THEN 0 WHEN 'medium' THEN 1 WHEN 'low' THEN 2 ELSE 3 END,
  happened_at DESC,
  id
LIMIT 200
