-- id:       powerful-consents
-- name:     Which applications may read mail, files or change the directory?
-- summary:  Consents of the last 30 days that permit to read or send mail, to read files or chats
--           of others, to give roles or permissions, or to act with full access
-- severity: high
-- technique: T1528, T1098.003
-- scans:    the targets and eight other columns of 30 days of directory audits
-- fields:   modifiedProperties ConsentAction.Permissions, DelegatedPermissionGrant.Scope,
--           AppRole.Value
-- blind:    permissions of other publishers' interfaces
-- key:      happened_at, target, permissions, given_by
-- told:     {given_by} gave {permissions} on {target}[ from {ip_address}], {happened_at}
SELECT
  activity_date_time AS happened_at,
  coalesce(nullif(target_name, ''), target_id) AS target,
  new_value AS permissions,
  actor AS given_by,
  activity_display_name AS activity,
  actor_ip_address AS ip_address
FROM directory_changes
WHERE day >= current_date - INTERVAL '30' DAY
  AND coalesce(result, 'success') IN ('success', '')
  AND lower(property_name) IN ('consentaction.permissions', 'delegatedpermissiongrant.scope', 'approle.value')
  AND (
    lower(activity_display_name) LIKE 'consent to application%'
    OR lower(activity_display_name) LIKE 'add delegated permission grant%'
    OR lower(activity_display_name) LIKE 'add app role assignment to service principal%'
  )
  AND (
    lower(new_value) LIKE '%mail.read%'
    OR lower(new_value) LIKE '%mail.send%'
    OR lower(new_value) LIKE '%mailboxsettings.readwrite%'
    OR lower(new_value) LIKE '%files.read%all%'
    OR lower(new_value) LIKE '%sites.%all%'
    OR lower(new_value) LIKE '%chat.read%'
    OR lower(new_value) LIKE '%full_access_as%'
    OR lower(new_value) LIKE '%ews.accessasuser.all%'
    OR lower(new_value) LIKE '%rolemanagement.readwrite%'
    OR lower(new_value) LIKE '%approleassignment.readwrite%'
    OR lower(new_value) LIKE '%application.readwrite.all%'
    OR lower(new_value) LIKE '%directory.readwrite.all%'
    OR lower(new_value) LIKE '%user.readwrite.all%'
    OR lower(new_value) LIKE '%group.readwrite.all%'
    OR lower(new_value) LIKE '%userauthenticationmethod.readwrite%'
    OR lower(new_value) LIKE '%directory.accessasuser%'
  )
ORDER BY happened_at DESC, target, id, property_number
LIMIT 200
