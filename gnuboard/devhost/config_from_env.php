<?php
// What data/stockd.config.php holds on a real site, here from the environment.
return array(
    'host' => getenv('STOCKD_SITE_DB_HOST') ?: '127.0.0.1',
    'port' => (int) (getenv('STOCKD_SITE_DB_PORT') ?: 3306),
    'socket' => (string) getenv('STOCKD_SITE_DB_SOCKET'),
    'user' => getenv('STOCKD_SITE_DB_USER') ?: 'stockd_site',
    'password' => (string) getenv('STOCKD_SITE_DB_PASSWORD'),
    'database' => getenv('STOCKD_SITE_DB_NAME') ?: 'stockd',
    'prefix' => (string) getenv('STOCKD_SITE_PREFIX'),
    'machine' => getenv('STOCKD_MACHINE_DB') ?: 'stockd',
);
