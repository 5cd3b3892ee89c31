-- id:        consents
-- name:      Which applications were given consent?
-- summary:   Consents and permissions that applications received within the last 30 days
-- severity:  medium
-- technique: T1528
-- scans:     the targets and eight other columns of 30 days of directory audits
--
-- Answers which applications were allowed what, by whom, and whether for one user or for
-- everybody.
SELECT
  max(activity_date_time) AS happened_at,
  max(activity_display_name) AS activity,
  max(target_name) AS application,
  max(actor) AS given_by,
  max(CASE WHEN property_name = 'ConsentContext.IsAdminConsent' THEN replace(new_value, '"', '') END) AS for_everybody,
  max(CASE
    WHEN property_name IN ('ConsentAction.Permissions', 'DelegatedPermissionGrant.Scope', 'AppRole.Value') THEN new_value
  END) AS permissions,
  max(result) AS result
FROM directory_changes
WHERE day >= current_date - INTERVAL '30' DAY
  AND (
    activity_display_name LIKE 'Consent to application%'
    OR activity_display_name LIKE 'Add delegated permission grant%'
    OR activity_display_name LIKE 'Add app role assignment to service principal%'
  )
GROUP BY id
ORDER BY happened_at DESC, application, id
LIMIT 200
