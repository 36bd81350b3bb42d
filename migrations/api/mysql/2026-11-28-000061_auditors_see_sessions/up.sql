INSERT INTO role_permissions (tenant_id, role_id, permission)
SELECT tenant_id, id, 'session.read' FROM roles WHERE is_system AND name = 'auditor';
