<?php
namespace Stockd\Site;

/** Templates of pages/, messages that survive one redirect, the plugin's own style and scripts. */
final class Page
{
    const SAID = 'ss_stockd_said';

    public static function say(string $message)
    {
        set_session(self::SAID, $message);
    }

    public static function said(): string
    {
        $message = (string) get_session(self::SAID);
        if ($message !== '') {
            set_session(self::SAID, '');
        }
        return $message;
    }

    /** @param array<string,mixed> $view the template's only variable */
    public static function render(string $template, array $view)
    {
        $view['said'] = self::said();
        include STOCKD_PLUGIN . '/pages/' . $template . '.php';
    }

    /** @param string[] $scripts files of assets/, in order */
    public static function assets(array $scripts)
    {
        $base = G5_PLUGIN_URL . '/stockd/assets/';
        $version = '?ver=' . trim((string) file_get_contents(STOCKD_PLUGIN . '/VERSION'));
        add_stylesheet('<link rel="stylesheet" href="' . Html::h($base . 'stockd.css' . $version) . '">', 90);
        foreach ($scripts as $script) {
            add_javascript('<script src="' . Html::h($base . $script . $version) . '" defer></script>', 90);
        }
    }
}
