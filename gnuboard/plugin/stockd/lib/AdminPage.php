<?php
namespace Stockd\Site;

/**
 * The four admin pages as adm/view.php calls them: handle_… before any output, show_… for the body.
 * view.php does not look at the menu's own right, so both steps do, first thing.
 */
final class AdminPage
{
    /** @var ConditionPage|null */
    private static $conditions;

    public static function handle_conditions()
    {
        self::handle('conditions', array('common.js', 'conditions.js'), static function (Db $db) {
            self::conditions()->request($db);
        });
    }

    public static function show_conditions()
    {
        self::show('conditions', static function (Db $db) {
            self::conditions()->body($db);
        });
    }

    public static function handle_live()
    {
        self::handle('live', array('vendor/lightweight-charts-5.2.1.js', 'common.js', 'chart.js', 'live.js'), static function (Db $db) {
            $ask = Input::get('ask');
            if ($_SERVER['REQUEST_METHOD'] === 'POST') {
                self::stop($db, 'live');
            } elseif ($ask === 'feed') {
                // one token an hour, so that an unchanged answer stays unchanged; then the session is let
                // go, or the tabs of one browser would wait for each other
                $token = Csrf::token(Rights::member(), intdiv(time(), 3600) * 3600);
                session_write_close();
                Html::answer(Live::feed($db) + array('token' => $token), true);
            } elseif ($ask === 'candles') {
                session_write_close();
                Html::answer(Live::candles($db, Input::symbol(Input::get('symbol')), Input::number(Input::get('minutes'))), true);
            }
        });
    }

    public static function show_live()
    {
        self::show('live', static function (Db $db) {
            Page::render('live', array('url' => Menu::url('live'), 'conditions' => Menu::url('conditions'), 'halt' => Halts::current($db), 'member' => Rights::member(),
                'may_halt' => self::mayHalt(), 'may_resume' => Rights::has('settings', 'w'), 'settings' => Menu::url('settings')));
        });
    }

    public static function handle_orders()
    {
        self::handle('orders', array(), static function (Db $db) {
        });
    }

    public static function show_orders()
    {
        self::show('orders', static function (Db $db) {
            try {
                $day = Input::get('day');
            } catch (BadCondition $bad) {
                $day = '';
            }
            $day = preg_match('/^(\d{4})-(\d\d)-(\d\d)$/D', $day, $m) && checkdate((int) $m[2], (int) $m[3], (int) $m[1]) ? $day : date('Y-m-d');
            Page::render('orders', array('day' => $day, 'strikes' => Live::strikes($db, 500, $day), 'fills' => Live::fills($db, 500, $day)));
        });
    }

    public static function handle_settings()
    {
        self::handle('settings', array('common.js'), static function (Db $db) {
            if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
                return;
            }
            if (Input::post('act') !== 'options') {
                self::stop($db, 'settings');
            }
            if (!Rights::super()) {
                throw new Refusal('최고관리자만 바꿀 수 있습니다.');
            }
            Actions::needToken();
            if (!Rights::password(Input::post('password'))) {
                throw new Refusal('비밀번호가 맞지 않습니다.');
            }
            Conf::saveOptions(array('password_on_arm' => Input::post('password_on_arm') === '1', 'member_page' => Input::post('member_page') === '1',
                'member_level' => Input::number(Input::post('member_level'))));
            Page::say('설정을 저장했습니다.');
            goto_url(Menu::url('settings'));
        });
    }

    public static function show_settings()
    {
        self::show('settings', static function (Db $db) {
            Page::render('settings', array('url' => Menu::url('settings'), 'halt' => Halts::current($db), 'history' => Halts::history($db, 30), 'options' => Conf::options(),
                'missing' => Schema::missing($db), 'super' => Rights::super(), 'may_write' => Rights::has('settings', 'w'), 'may_halt' => self::mayHalt(), 'member' => Rights::member()));
        });
    }

    /** The stop switch. Stopping asks less than going on: w on either page, no password. */
    private static function stop(Db $db, string $page)
    {
        $act = Input::post('act');
        if (!($act === 'halt' ? self::mayHalt() : Rights::has('settings', 'w'))) {
            throw new Refusal('이 일을 할 권한이 없습니다.');
        }
        Actions::needToken();
        if ($act === 'halt') {
            Halts::halt($db, trim(Input::post('reason')), Rights::member(), Input::post('cancel_open') === '1');
            Page::say('정지했습니다. 새 주문은 나가지 않습니다.');
        } elseif ($act === 'resume') {
            if (Conf::options()['password_on_arm'] && !Rights::password(Input::post('password'))) {
                throw new Refusal('비밀번호가 맞지 않아 재개하지 않았습니다.');
            }
            Halts::resume($db, trim(Input::post('reason')), Rights::member());
            Page::say('다시 시작했습니다. 장전된 조건이 발동할 수 있습니다.');
        } else {
            throw new Refusal('모르는 요청입니다.');
        }
        goto_url(Menu::url($page));
    }

    private static function mayHalt(): bool
    {
        return Rights::has('live', 'w') || Rights::has('settings', 'w');
    }

    private static function conditions(): ConditionPage
    {
        if (self::$conditions === null) {
            self::$conditions = new ConditionPage(Menu::url('conditions'), null, static function (string $right): bool {
                return Rights::has('conditions', $right);
            });
        }
        return self::$conditions;
    }

    private static function handle(string $page, array $scripts, callable $work)
    {
        Rights::need($page, 'r');
        Html::headers();
        Page::assets($scripts);
        try {
            $work(Db::shared());
        } catch (Refusal $refusal) {
            alert(Html::h($refusal->getMessage()), Menu::url($page));
        } catch (BadCondition $bad) {
            alert(Html::h(Fields::label($bad->field) . ': ' . $bad->getMessage()), Menu::url($page));
        } catch (DbError $error) {
            error_log('stockd plugin: ' . $error->getMessage());
            if (isset($_GET['ask'])) {
                http_response_code(503);
                Html::answer(array('ok' => false, 'why' => '데이터베이스에 닿지 않습니다.'));
            }
            if ($_SERVER['REQUEST_METHOD'] === 'POST') {
                alert('데이터베이스가 거절했습니다. 아무것도 바뀌지 않았습니다.', Menu::url($page));
            }
        }
    }

    private static function show(string $page, callable $work)
    {
        Rights::need($page, 'r');
        try {
            $work(Db::shared());
        } catch (DbError $error) {
            error_log('stockd plugin: ' . $error->getMessage());
            Page::render('broken', array('why' => Conf::database() === null ? 'config' : 'database'));
        }
    }
}
