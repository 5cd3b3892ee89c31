-- id:       consents
-- name:     Which applications were given consent?
-- summary:  Consents and permissions that applications received within the last 30 days
-- severity: medium
-- technique: T1528
-- scans:    the targets and eight other columns of 30 days of directory audits
-- fields:   activityDisplayName, targetResources, modifiedProperties
-- blind:    permissions that an application had before the archive began
-- key:      happened_at, application, given_by, permissions
-- told:     {given_by} gave consent to {application}[ for {resource}][ ({permissions})][, for
--           everybody: {for_everybody}], {happened_at}
--
-- Answers which applications were allowed what on which resource, by whom, and whether for one user
-- or for everybody.
SELECT
  max(activity_date_time) AS happened_at,
  max(activity_display_name) AS activity,
  coalesce(
    max(CASE
      WHEN lower(property_name) = 'serviceprincipal.displayname' AND lower(activity_display_name) NOT LIKE 'consent%'
      THEN nullif(replace(new_value, '"', ''), '')
    END),
    max(CASE WHEN target_number = 2 AND lower(activity_display_name) NOT LIKE 'consent%' THEN nullif(target_name, '') END),
    max(CASE
      WHEN lower(property_name) = 'serviceprincipal.objectid' AND lower(activity_display_name) NOT LIKE 'consent%'
      THEN nullif(replace(new_value, '"', ''), '')
    END),
    max(CASE WHEN target_number = 2 AND lower(activity_display_name) NOT LIKE 'consent%' THEN target_id END),
    max(CASE WHEN target_number = 1 THEN coalesce(nullif(target_name, ''), target_id) END)
  ) AS application,
  max(CASE
    WHEN target_number = 1 AND lower(activity_display_name) NOT LIKE 'consent%' THEN target_name
  END) AS resource,
  max(actor) AS given_by,
  max(CASE
    WHEN lower(property_name) = 'consentcontext.isadminconsent' THEN replace(new_value, '"', '')
    WHEN lower(property_name) = 'delegatedpermissiongrant.consenttype' AND lower(new_value) LIKE '%allprincipals%' THEN 'True'
    WHEN lower(property_name) = 'delegatedpermissiongrant.consenttype' THEN 'False'
  END) AS for_everybody,
  max(CASE
    WHEN lower(property_name) IN ('consentaction.permissions', 'delegatedpermissiongrant.scope', 'approle.value') THEN new_value
  END) AS permissions,
  max(result) AS result
FROM directory_changes
WHERE day >= current_date - INTERVAL '30' DAY
  AND (
    lower(activity_display_name) LIKE 'consent to application%'
    OR lower(activity_display_name) LIKE 'add delegated permission grant%'
    OR lower(activity_display_name) LIKE 'add app role assignment to service principal%'
    OR lower(activity_display_name) LIKE 'grant contextual consent to application%'
    OR lower(activity_display_name) LIKE 'restore consent%'
  )
GROUP BY id
ORDER BY happened_at DESC, application, id
LIMIT 200
