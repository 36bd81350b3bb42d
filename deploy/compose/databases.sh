#!/bin/bash
# Run once by the MariaDB image, on an empty volume: a database and an account for each service, so that neither can open
# the other's.
set -euo pipefail

mariadb --user=root --password="$MARIADB_ROOT_PASSWORD" <<SQL
CREATE DATABASE tenantry_idp CHARACTER SET utf8mb4;
CREATE DATABASE tenantry_api CHARACTER SET utf8mb4;
CREATE USER 'tenantry_idp'@'%' IDENTIFIED BY '$IDP_DATABASE_PASSWORD';
CREATE USER 'tenantry_api'@'%' IDENTIFIED BY '$API_DATABASE_PASSWORD';
GRANT ALL ON tenantry_idp.* TO 'tenantry_idp'@'%';
GRANT ALL ON tenantry_api.* TO 'tenantry_api'@'%';
SQL
