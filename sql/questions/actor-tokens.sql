-- id:       actor-tokens
-- name:     Which changes did a service make in the name of a user?
-- summary:  Changes of the last 30 days whose author has the name of a Microsoft service and the
--           account of a user, as with an actor token
-- severity: high
-- technique: T1606, T1550.001
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   initiatedBy.user.displayName, initiatedBy.user.userPrincipalName
-- blind:    reading with such a token, which leaves no audit
-- key:      happened_at, in_the_name_of, activity, target
-- told:     {by_service} did '{activity}' [to {target} ]in the name of {in_the_name_of}[ from
--           {ip_address}], {happened_at}
SELECT
  happened_at,
  actor AS in_the_name_of,
  actor_display_name AS by_service,
  activity,
  target,
  ip_address
FROM audits
WHERE day >= current_date - INTERVAL '30' DAY
  AND actor LIKE '%@%'
  AND lower(actor_display_name) IN (
    'office 365 exchange online', 'office 365 sharepoint online', 'skype for business online', 'dataverse',
    'microsoft dynamics erp', 'microsoft exchange online protection', 'microsoft teams services'
  )
ORDER BY happened_at DESC, in_the_name_of, id
LIMIT 200
