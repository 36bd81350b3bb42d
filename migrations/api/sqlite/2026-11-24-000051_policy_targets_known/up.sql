UPDATE policies SET
    target_resource = COALESCE(json_extract(target_json, '$.resource'), '*'),
    target_action = COALESCE(json_extract(target_json, '$.action'), '*'),
    effect = COALESCE(json_extract(rules_json, '$.effect'), 'deny');
