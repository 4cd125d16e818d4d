<?php
namespace Stockd\Site;

/** The optional member page: off by default, a minimum level, and only rows of the member himself. */
final class MemberPage
{
    /** @var ConditionPage|null */
    private static $page;

    public static function request()
    {
        global $g5, $is_member, $member;
        $options = Conf::options();
        if (!$options['member_page']) {
            alert('열려 있지 않은 페이지입니다.', G5_URL);
        }
        if (!$is_member || Rights::member() === '') {
            alert('로그인 하십시오.', G5_BBS_URL . '/login.php');
        }
        if ((int) $member['mb_level'] < $options['member_level']) {
            alert('이 페이지를 볼 수 있는 회원 등급이 아닙니다.', G5_URL);
        }
        $g5['title'] = '매매 조건';
        Html::headers();
        Page::assets(array('common.js', 'conditions.js'));
        self::$page = new ConditionPage(G5_PLUGIN_URL . '/stockd/index.php', Rights::member(), static function (string $right): bool {
            return true;
        });
        try {
            self::$page->request(Db::shared());
        } catch (Refusal $refusal) {
            alert(Html::h($refusal->getMessage()), G5_PLUGIN_URL . '/stockd/index.php');
        } catch (DbError $error) {
            error_log('stockd plugin: ' . $error->getMessage());
            alert('데이터베이스에 닿지 않습니다. 아무것도 바뀌지 않았습니다.', G5_URL);
        }
    }

    public static function body()
    {
        if (self::$page === null) {
            return;
        }
        try {
            self::$page->body(Db::shared());
        } catch (DbError $error) {
            error_log('stockd plugin: ' . $error->getMessage());
            Page::render('broken', array('why' => 'database'));
        }
    }
}
