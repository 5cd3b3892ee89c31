-- id:       application-credentials
-- name:     Which applications received new credentials?
-- summary:  Secrets, certificates and federated credentials that were added to applications within
--           the last 30 days
-- severity: medium
-- technique: T1098.001
-- scans:    the targets and eight other columns of 30 days of directory audits
-- fields:   modifiedProperties KeyDescription, FederatedIdentityCredentials
-- blind:    more than four credentials that change at once
-- key:      happened_at, application, added_by
-- told:     {added_by} added a credential to {application}[ from {ip_address}], {happened_at}
--
-- Answers to which applications somebody added a way to sign in, and who it was: a key identifier
-- or an issuer that was not there before. A credential that is only renamed or removed is none.
SELECT
  activity_date_time AS happened_at,
  target_name AS application,
  target_type AS kind,
  actor AS added_by,
  actor_ip_address AS ip_address,
  old_value AS credentials_before,
  new_value AS credentials_after,
  result
FROM (
  SELECT
    *,
    lower(coalesce(old_value, '')) AS before,
    lower(coalesce(new_value, '')) AS after
  FROM directory_changes
  WHERE day >= current_date - INTERVAL '30' DAY
    AND lower(property_name) IN ('keydescription', 'federatedidentitycredentials')
) AS changes
WHERE (
    lower(property_name) = 'keydescription'
    AND after LIKE '%keyidentifier=%'
    AND (
      strpos(before, coalesce(split_part(split_part(after, 'keyidentifier=', 2), ',', 1), '')) = 0
      OR strpos(before, coalesce(split_part(split_part(after, 'keyidentifier=', 3), ',', 1), '')) = 0
      OR strpos(before, coalesce(split_part(split_part(after, 'keyidentifier=', 4), ',', 1), '')) = 0
      OR strpos(before, coalesce(split_part(split_part(after, 'keyidentifier=', 5), ',', 1), '')) = 0
    )
  )
  OR (
    lower(property_name) = 'federatedidentitycredentials'
    AND after NOT IN ('', '[]', 'null', '"[]"')
    AND after <> before
    AND NOT (length(after) < length(before) AND strpos(before, replace(replace(after, '[', ''), ']', '')) > 0)
  )
ORDER BY happened_at DESC, application, id
LIMIT 200
