-- name:      attempts
-- rows:      sign-in of a person or a workload, newest version, with who it was (`person`: the id, or the name where the id is empty or zeros), what it came to (`outcome`: success, interrupt, failure, unknown), the address without the part of an IPv6 device, and the second factor (`mfa_detail`, else the second step that names a method, else the first)
-- table:     sign_ins
-- column:    recency bigint
-- column:    person string
-- column:    outcome string
-- column:    address string
-- column:    second_factor string
SELECT *,
CASE WHEN coalesce(user_id, '') IN ('', '00000000-0000-0000-0000-000000000000') THEN lower(coalesce(user_principal_name, ''))
ELSE lower(user_id) END AS person,
CAST(CASE WHEN status.error_code IS NULL THEN 'unknown' WHEN status.error_code = 0 THEN 'success'
WHEN status.error_code IN (
16000, 16001, 50055, 50058, 50072, 50074, 50076, 50079, 50097, 50125, 50127, 50129, 50140, 50144, 50199, 50203, 51006, 65001, 9002341
) THEN 'interrupt' ELSE 'failure' END AS VARCHAR) AS outcome,
CASE WHEN ip_address LIKE '%:%:%' THEN
coalesce(split_part(split_part(lower(ip_address), '::', 1), ':', 1), '') || ':'
|| coalesce(split_part(split_part(lower(ip_address), '::', 1), ':', 2), '') || ':'
|| coalesce(split_part(split_part(lower(ip_address), '::', 1), ':', 3), '') || ':'
|| coalesce(split_part(split_part(lower(ip_address), '::', 1), ':', 4), '') || '::'
ELSE coalesce(ip_address, '') END AS address,
coalesce(
nullif(mfa_detail.auth_method, ''),
CASE WHEN cardinality(authentication_details) >= 2 THEN authentication_details[2].authentication_method END, -- datafusion: get_field(authentication_details[2], 'authentication_method'),
CASE WHEN cardinality(authentication_details) >= 1 THEN authentication_details[1].authentication_method END, -- datafusion: get_field(authentication_details[1], 'authentication_method'),
''
) AS second_factor
FROM sign_ins_latest
