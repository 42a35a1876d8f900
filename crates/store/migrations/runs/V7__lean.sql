-- What has a column stands there alone: what `record` repeated goes, and who wrote a run is kept while it is open. Only
-- SQLite has such files.
UPDATE runs SET
    module = coalesce(module, record ->> '$.module'),
    record = json_remove(
        json_set(record, '$.kind', record ->> '$.target.kind'),
        '$.id', '$.tenant', '$.target', '$.module', '$.started', '$.ended', '$.phase',
        '$.error', '$.cost', '$.bytes', '$.tasks'
    ),
    outcome = coalesce(outcome, json_object(
        'error', record -> '$.error',
        'cost', coalesce(record -> '$.cost', 0),
        'bytes', coalesce(record -> '$.bytes', json('{}')),
        'tasks', coalesce(record -> '$.tasks', json('[]'))
    )),
    writer = CASE WHEN phase = 'running' THEN writer ELSE '' END
-- One that cannot be read is told of when it is read, and keeps nobody from starting.
WHERE json_valid(record);
