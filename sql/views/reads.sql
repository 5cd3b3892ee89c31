-- name:      reads
-- rows:      the same in typed columns
-- column:    stream string
-- column:    day date
-- column:    window_start timestamp
-- column:    window_end timestamp
-- column:    read bigint
-- column:    started_at timestamp
-- column:    finished_at timestamp
-- column:    status string
-- column:    served bigint
-- column:    new bigint
-- column:    changed bigint
-- column:    missing bigint
-- column:    key string
-- column:    sha256 string
-- column:    bytes bigint
-- column:    requests bigint
-- column:    retries bigint
-- column:    error string
-- column:    format bigint
-- column:    collector string
-- column:    application string
-- column:    kept_since timestamp
-- column:    records_root string
-- column:    table_sha256 string
-- column:    table_rows bigint
-- column:    untimed bigint
-- column:    outside bigint
SELECT stream, CAST(window_start AS DATE) AS day, window_start, window_end, read, started_at, finished_at,
status, served, new, changed, missing, key, sha256, bytes, requests, retries, error, format, collector, application,
kept_since, records_root, table_sha256, table_rows, untimed, outside
FROM (
SELECT regexp_extract("$path", '([^/=]+)/day=[^/]+$', 1) AS stream,
CAST(from_iso8601_timestamp(json_extract_scalar(record, '$.window_start')) AS TIMESTAMP) AS window_start,
CAST(from_iso8601_timestamp(json_extract_scalar(record, '$.window_end')) AS TIMESTAMP) AS window_end,
CAST(json_extract_scalar(record, '$.read') AS BIGINT) AS read,
CAST(from_iso8601_timestamp(json_extract_scalar(record, '$.started_at')) AS TIMESTAMP) AS started_at,
CAST(from_iso8601_timestamp(json_extract_scalar(record, '$.finished_at')) AS TIMESTAMP) AS finished_at,
json_extract_scalar(record, '$.status') AS status,
CAST(json_extract_scalar(record, '$.served') AS BIGINT) AS served, CAST(json_extract_scalar(record, '$.new') AS BIGINT) AS new,
CAST(json_extract_scalar(record, '$.changed') AS BIGINT) AS changed, CAST(json_extract_scalar(record, '$.missing') AS BIGINT) AS missing,
json_extract_scalar(record, '$.key') AS key, json_extract_scalar(record, '$.sha256') AS sha256,
CAST(json_extract_scalar(record, '$.bytes') AS BIGINT) AS bytes, CAST(json_extract_scalar(record, '$.requests') AS BIGINT) AS requests,
CAST(json_extract_scalar(record, '$.retries') AS BIGINT) AS retries, json_extract_scalar(record, '$.error') AS error,
CAST(json_extract_scalar(record, '$.format') AS BIGINT) AS format,
json_extract_scalar(record, '$.collector') AS collector, json_extract_scalar(record, '$.application') AS application,
CAST(from_iso8601_timestamp(json_extract_scalar(record, '$.kept_since')) AS TIMESTAMP) AS kept_since,
json_extract_scalar(record, '$.records_root') AS records_root, json_extract_scalar(record, '$.table_sha256') AS table_sha256,
CAST(json_extract_scalar(record, '$.table_rows') AS BIGINT) AS table_rows,
CAST(json_extract_scalar(record, '$.untimed') AS BIGINT) AS untimed, CAST(json_extract_scalar(record, '$.outside') AS BIGINT) AS outside
FROM ledger
) AS lines
