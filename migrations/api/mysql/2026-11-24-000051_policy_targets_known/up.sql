UPDATE policies SET
    target_resource = COALESCE(JSON_UNQUOTE(JSON_EXTRACT(target_json, '$.resource')), '*'),
    target_action = COALESCE(JSON_UNQUOTE(JSON_EXTRACT(target_json, '$.action')), '*'),
    effect = COALESCE(JSON_UNQUOTE(JSON_EXTRACT(rules_json, '$.effect')), 'deny');
