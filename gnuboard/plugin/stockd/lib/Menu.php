<?php
namespace Stockd\Site;

/** Admin menu 자동매매 (group 770) through the core's two menu filters. */
final class Menu
{
    const PAGES = array(
        'conditions' => array('100', '매매 조건'),
        'live' => array('200', '현황'),
        'orders' => array('300', '주문·체결'),
        'settings' => array('400', '설정·정지'),
    );

    public static function id(string $page): string
    {
        return STOCKD_MENU . self::PAGES[$page][0];
    }

    public static function url(string $page): string
    {
        return G5_ADMIN_URL . '/view.php?call=stockd_' . $page;
    }

    /** @param mixed $amenu */
    public static function group($amenu)
    {
        if (is_array($amenu) && !isset($amenu[STOCKD_MENU])) {
            $amenu[STOCKD_MENU] = ''; // the value is a file name for groups that have one
        }
        return $amenu;
    }

    /** @param mixed $menu */
    public static function entries($menu)
    {
        if (!is_array($menu)) {
            return $menu;
        }
        $key = 'menu' . STOCKD_MENU;
        if (empty($menu[$key])) {
            // the head's key differs from the pages', because view.php finds a page by its key
            $menu[$key] = array(array(STOCKD_MENU . '000', '자동매매', self::url('conditions'), 'stockd_group'));
        }
        foreach (self::PAGES as $page => $named) {
            $menu[$key][] = array(STOCKD_MENU . $named[0], $named[1], self::url($page), 'stockd_' . $page);
        }
        return $menu;
    }
}
