-- id:       suspicious-devices
-- name:     Which devices were registered by a kit, or many at once?
-- summary:  Devices of the last 30 days with the name or the system that attack tools give by
--           default, and users who registered three or more in a day
-- severity: medium
-- technique: T1098.005
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   activityDisplayName, targetResources, modifiedProperties DeviceOSVersion
-- blind:    tools that are told another name, which takes one option
-- key:      registered_by, one_device, os_version
-- told:     {registered_by} registered {devices} devices, such as {one_device}[ ({os_version})][,
--           from {ip_address}], {happened_at}
--
-- The systems are Windows builds that the tools fill in and that no new device has.
SELECT
  max(changes.activity_date_time) AS happened_at,
  changes.actor AS registered_by,
  count(DISTINCT changes.id) AS devices,
  max(changes.target_name) AS one_device,
  max(CASE WHEN lower(changes.property_name) LIKE '%osversion%' THEN replace(changes.new_value, '"', '') END) AS os_version,
  max(changes.actor_ip_address) AS ip_address
FROM directory_changes AS changes
WHERE changes.day >= current_date - INTERVAL '30' DAY
  AND coalesce(changes.result, 'success') IN ('success', '')
  AND lower(trim(changes.activity_display_name)) IN ('register device', 'add device')
  AND changes.actor_is_user
GROUP BY changes.actor, changes.day
HAVING count(DISTINCT changes.id) >= 3
  OR max(CASE
    WHEN lower(changes.property_name) LIKE '%osversion%'
      AND (lower(changes.new_value) LIKE '%10.0.19041.928%' OR lower(changes.new_value) LIKE '%10.0.10041%') THEN 1
    WHEN lower(changes.target_name) IN ('my computer', 'roadtx', 'none-device') THEN 1
    ELSE 0
  END) = 1
ORDER BY happened_at DESC, registered_by
LIMIT 100
