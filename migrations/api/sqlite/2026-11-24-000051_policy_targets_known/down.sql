UPDATE policies SET target_resource = '*', target_action = '*', effect = 'deny';
