<?php
// What data/stockd.config.php holds on a real site, here from the environment.
return array(
    'host' => getenv('DEVHOST_DB_HOST') ?: '127.0.0.1',
    'port' => (int) (getenv('DEVHOST_DB_PORT') ?: 3306),
    'socket' => (string) getenv('DEVHOST_DB_SOCKET'),
    'user' => getenv('DEVHOST_DB_USER') ?: 'stockd_site',
    'password' => (string) getenv('DEVHOST_DB_PASSWORD'),
    'database' => getenv('DEVHOST_DB_NAME') ?: 'stockd',
    'prefix' => (string) getenv('DEVHOST_PREFIX'),
    'machine' => getenv('DEVHOST_MACHINE_DB') ?: 'stockd',
);
