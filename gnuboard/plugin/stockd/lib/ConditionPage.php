<?php
namespace Stockd\Site;

/** The condition page in two steps, as view.php calls them: the request (may redirect), then the body. */
final class ConditionPage
{
    /** @var string */
    private $url;
    /** @var string|null */
    private $owner;
    /** @var BadCondition|null */
    private $problem;
    /** @var callable(string): bool */
    private $may;

    /** @param callable $may whether the visitor has right r, w or d */
    public function __construct(string $url, $owner, callable $may)
    {
        $this->url = $url;
        $this->owner = $owner;
        $this->may = $may;
    }

    /** @throws Refusal|DbError */
    public function request(Db $db)
    {
        $actions = new Actions($db, $this->owner);
        if ($_SERVER['REQUEST_METHOD'] === 'POST') {
            try {
                $act = Input::post('act');
                if (!call_user_func($this->may, Actions::right($act))) {
                    throw new Refusal('이 일을 할 권한이 없습니다.');
                }
                Actions::needToken();
                Page::say($actions->run($act));
                goto_url($this->back());
            } catch (BadCondition $bad) {
                $this->problem = $bad; // the form comes back with what was typed
            }
            return;
        }
        try {
            if (Input::get('ask') !== '') {
                session_write_close();
                $actions->answer(Input::get('ask'));
                Html::answer(array());
            }
        } catch (BadCondition $bad) {
            Html::answer(array('ok' => false, 'why' => $bad->getMessage()));
        }
    }

    public function body(Db $db)
    {
        try {
            $search = trim(Input::get('q'));
            $state = Input::get('state');
            $sort = Input::get('sort');
            $dir = Input::get('dir') === 'asc' ? 'asc' : 'desc';
            $number = max(1, Input::number(Input::get('page')));
            $edited = Input::number(Input::get('edit'));
        } catch (BadCondition $bad) {
            $search = $state = $sort = '';
            $dir = 'desc';
            $number = 1;
            $edited = 0;
        }
        $form = array_fill_keys(Validate::FIELDS, '') + array('exit_profit' => '', 'exit_stop' => '');
        $editing = null;
        if ($this->problem !== null) {
            foreach (array_keys($form) as $field) {
                $form[$field] = isset($_POST[$field]) && is_string($_POST[$field]) ? stripslashes($_POST[$field]) : '';
            }
            $id = isset($_POST['id']) && is_string($_POST['id']) ? Input::number($_POST['id']) : 0;
            $rev = isset($_POST['rev']) && is_string($_POST['rev']) ? Input::number($_POST['rev']) : 0;
            $editing = isset($_POST['act']) && $_POST['act'] === 'edit' ? array('id' => $id, 'rev' => $rev, 'enabled' => 0) : null;
        } elseif ($edited) {
            $conditions = new Conditions($db, Rights::member(), '', $this->owner);
            $editing = $conditions->find($edited);
            $form = $editing === null ? $form : Fields::typed($editing) + $form;
        }
        $list = ConditionList::page($db, $this->owner, $search, $state, $sort, $dir, $number);
        Page::render('conditions', array(
            'url' => $this->url, 'form' => $form, 'editing' => $editing, 'problem' => $this->problem, 'rows' => $list['rows'],
            'total' => $list['total'], 'armed' => $list['armed'], 'search' => $search, 'state' => $state, 'sort' => $sort, 'dir' => $dir,
            'number' => $number, 'pages' => (int) max(1, ceil($list['total'] / ConditionList::PER_PAGE)), 'halt' => Halts::current($db),
            'may_write' => call_user_func($this->may, 'w'), 'may_remove' => call_user_func($this->may, 'd'),
            'ask_password' => Conf::options()['password_on_arm'], 'everyone' => $this->owner === null, 'member' => Rights::member(),
        ));
    }

    /** The list as it was before the POST; only our own parameters, so nothing leads elsewhere. */
    private function back(): string
    {
        $query = array();
        foreach (array('q', 'state', 'sort', 'dir', 'page') as $name) {
            $value = isset($_POST['back_' . $name]) && is_string($_POST['back_' . $name]) ? stripslashes($_POST['back_' . $name]) : '';
            if ($value !== '') {
                $query[$name] = $value;
            }
        }
        return $this->url . ($query ? (strpos($this->url, '?') === false ? '?' : '&') . http_build_query($query) : '');
    }
}
