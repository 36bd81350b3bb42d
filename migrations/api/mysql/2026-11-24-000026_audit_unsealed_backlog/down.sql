DELETE FROM audit_unsealed;
