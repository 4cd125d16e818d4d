<?php
namespace Stockd\Site;

/**
 * Where the tables are and as whom to sign in: data/stockd.config.php, written by
 * `stockd gnuboard install` (data/ outlives core upgrades), and the options the owner chose on the page:
 * data/stockd.options.json. Neither holds a broker key; the password is that of `stockd_site` alone.
 */
final class Conf
{
    const OPTIONS = array('password_on_arm' => false, 'member_page' => false, 'member_level' => 2);

    /** @return array{host:string,port:int,socket:string,user:string,password:string,database:string,prefix:string,machine:string}|null */
    public static function database()
    {
        $file = G5_DATA_PATH . '/stockd.config.php';
        if (!is_file($file)) {
            return null;
        }
        $conf = include $file;
        if (!is_array($conf)) {
            return null;
        }
        $conf += array('host' => '127.0.0.1', 'port' => 3306, 'socket' => '', 'prefix' => '', 'machine' => 'stockd');
        foreach (array('database', 'machine') as $name) {
            if (!isset($conf[$name]) || !preg_match('/^[A-Za-z0-9_\-]{1,64}$/D', (string) $conf[$name])) {
                return null;
            }
        }
        if (!preg_match('/^[A-Za-z0-9_]{0,20}$/D', (string) $conf['prefix'])) {
            return null;
        }
        return $conf;
    }

    /** @return array{password_on_arm:bool,member_page:bool,member_level:int} */
    public static function options(): array
    {
        $options = self::OPTIONS;
        $file = self::optionsFile();
        $read = is_file($file) ? json_decode((string) file_get_contents($file), true) : null;
        if (is_array($read)) {
            $options['password_on_arm'] = !empty($read['password_on_arm']);
            $options['member_page'] = !empty($read['member_page']);
            $level = isset($read['member_level']) ? (int) $read['member_level'] : 2;
            $options['member_level'] = max(2, min(10, $level));
        }
        return $options;
    }

    /** @throws Refusal when data/ cannot be written */
    public static function saveOptions(array $options)
    {
        $text = json_encode(array(
            'password_on_arm' => !empty($options['password_on_arm']),
            'member_page' => !empty($options['member_page']),
            'member_level' => max(2, min(10, (int) $options['member_level'])),
        ));
        $file = self::optionsFile();
        $fresh = $file . '.' . bin2hex(random_bytes(4));
        if (@file_put_contents($fresh, $text) === false || !@rename($fresh, $file)) {
            throw new Refusal('data 폴더에 설정을 쓸 수 없습니다.');
        }
    }

    private static function optionsFile(): string
    {
        return G5_DATA_PATH . '/stockd.options.json';
    }
}
