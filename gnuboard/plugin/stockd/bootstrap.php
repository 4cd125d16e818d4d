<?php
// Registers the plugin's hooks. Runs on every request of the site: no query, no file but this one
// and the autoloader's.
if (!defined('_GNUBOARD_')) {
    exit;
}

if (!defined('STOCKD_MENU')) {
    define('STOCKD_MENU', '770'); // admin menu group; another number may be defined in extend/
}
define('STOCKD_PLUGIN', __DIR__);

spl_autoload_register(static function ($class) {
    if (strncmp($class, 'Stockd\\Site\\', 12) !== 0) {
        return;
    }
    $file = STOCKD_PLUGIN . '/lib/' . substr($class, 12) . '.php';
    if (is_file($file)) {
        require $file;
    }
});

if (defined('G5_IS_ADMIN')) {
    add_replace('admin_amenu', 'Stockd\\Site\\Menu::group', 8, 1);
    add_replace('admin_menu', 'Stockd\\Site\\Menu::entries', 8, 1);
    add_replace('admin_dbupgrade', 'Stockd\\Site\\Schema::upgrade', 8, 1);
    foreach (array('conditions', 'live', 'orders', 'settings') as $stockd_page) {
        add_event('admin_request_handler_stockd_' . $stockd_page, 'Stockd\\Site\\AdminPage::handle_' . $stockd_page);
        add_event('admin_get_page_stockd_' . $stockd_page, 'Stockd\\Site\\AdminPage::show_' . $stockd_page);
    }
    unset($stockd_page);
}

// a member who is gone or blocked must not leave armed conditions behind
add_event('member_delete_after', 'Stockd\\Site\\Leaving::deleted', 8, 1);
add_event('member_leave', 'Stockd\\Site\\Leaving::left', 8, 1);
add_event('admin_member_form_update', 'Stockd\\Site\\Leaving::edited', 8, 2);
add_event('admin_member_list_update', 'Stockd\\Site\\Leaving::listed', 8, 2);
