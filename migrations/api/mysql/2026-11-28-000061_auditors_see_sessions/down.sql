DELETE FROM role_permissions
WHERE permission = 'session.read' AND role_id IN (SELECT id FROM roles WHERE is_system AND name = 'auditor');
