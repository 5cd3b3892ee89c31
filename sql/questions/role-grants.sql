-- id:       role-grants
-- name:     Who was given a role?
-- summary:  Roles of the directory that were granted, or made available for activation, within the
--           last 30 days
-- severity: medium
-- technique: T1098.003
-- scans:    the targets and eleven columns of 30 days of directory audits
-- fields:   activityDisplayName, targetResources, modifiedProperties Role.DisplayName
-- blind:    groups that have the role already: see the unusual recipients
-- key:      happened_at, given_to, role, given_by
-- told:     {given_by} gave {role} to {given_to}[ from {ip_address}], {happened_at}
--
-- Answers who received which role, from whom, and from which address it was granted. What was only
-- asked for, refused or canceled is no grant; an activation of a role that somebody may have is
-- none either, and has a question of its own. What PIM's own principal then does in the directory is left
-- out, because PIM tells of it as well.
SELECT
  happened_at,
  coalesce(user_name, group_name, application, target) AS given_to,
  role,
  actor AS given_by,
  activity,
  result,
  ip_address
FROM audits
WHERE day >= current_date - INTERVAL '30' DAY
  AND took_effect = 'yes'
  AND act NOT LIKE '%pim activation%'
  AND lower(actor) NOT IN ('ms-pim', 'ms-pim-fairfax')
  AND (
    act LIKE 'add%member to role%'
    OR act LIKE 'add role assignment to role definition%'
    OR act LIKE 'add eligibleroleassignment to roledefinition%'
    OR act LIKE 'restore%member from role%'
    OR act IN ('restore permanent direct role assignment', 'restore permanent eligible role assignment')
    OR act = 'approve request - direct role assignment'
    OR act = 'update member in pim approved by admin (extend/renew)'
    OR act = 'add entitlement management role assignment'
  )
ORDER BY happened_at DESC, given_to, id
LIMIT 200
