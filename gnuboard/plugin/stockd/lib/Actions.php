<?php
namespace Stockd\Site;

/**
 * What the condition page does with a POST and with the JSON questions of its script; the same for the
 * admin and the member page. Rights are the caller's part, the token is checked here.
 */
final class Actions
{
    /** @var Db */
    private $db;
    /** @var Conditions */
    private $conditions;
    /** @var string|null */
    private $owner;

    public function __construct(Db $db, $owner = null)
    {
        $this->db = $db;
        $this->owner = $owner;
        $ip = isset($_SERVER['REMOTE_ADDR']) ? (string) $_SERVER['REMOTE_ADDR'] : '';
        $this->conditions = new Conditions($db, Rights::member(), $ip, $owner);
    }

    /** @throws Refusal unless the request is a POST with our token in its body */
    public static function needToken()
    {
        $given = isset($_POST[Csrf::FIELD]) && is_string($_POST[Csrf::FIELD]) ? $_POST[Csrf::FIELD] : '';
        if ($_SERVER['REQUEST_METHOD'] !== 'POST' || !Csrf::holds($given, Rights::member(), time())) {
            throw new Refusal('올바른 방법으로 이용해 주십시오. 페이지를 새로 열고 다시 해 주십시오.');
        }
    }

    /** The right ('w' or 'd') that $act needs. */
    public static function right(string $act): string
    {
        return $act === 'remove' ? 'd' : 'w';
    }

    /** Carries out $act. @return string what to tell the person @throws Refusal|BadCondition|DbError */
    public function run(string $act): string
    {
        $id = Input::number(Input::post('id'));
        $rev = Input::number(Input::post('rev'));
        switch ($act) {
            case 'add':
                $id = $this->add();
                return "조건 #$id 을(를) 추가했습니다. 꺼진 상태이니 확인한 뒤 장전하십시오.";
            case 'edit':
                $this->edit($id, $rev);
                return "조건 #$id 을(를) 고쳤습니다. 장전되어 있었다면 해제되었습니다.";
            case 'arm':
                return $this->arm($id, $rev);
            case 'disarm':
                $count = $this->conditions->disarm($id);
                return $count > 1 ? "조건 #$id 와(과) 딸린 청산 조건을 해제했습니다." : "조건 #$id 을(를) 해제했습니다.";
            case 'remove':
                $this->conditions->remove($id, $rev);
                return "조건 #$id 을(를) 지웠습니다. 이력은 남습니다.";
            case 'copy':
                return "조건 #$id 을(를) #" . $this->conditions->copy($id) . ' 로 복사했습니다.';
            case 'disarm_all':
                return $this->conditions->disarmAll() . '개 조건을 모두 해제했습니다.';
            case 'disarm_ticked':
                return $this->conditions->disarmAll(Input::ids('ids')) . '개 조건을 해제했습니다.';
        }
        throw new Refusal('모르는 요청입니다.');
    }

    /** Answers the script's questions; ends the request when $ask is one of them. */
    public function answer(string $ask)
    {
        switch ($ask) {
            case 'find':
                Html::answer(Machine::find($this->db, Input::get('q')));
                break;
            case 'quote':
                $symbol = Input::symbol(Input::get('symbol'));
                $context = Machine::context($this->db, $symbol);
                Html::answer(Machine::quote($this->db, $symbol) + array('cash' => $context->cash, 'sellable' => $context->sellable));
                break;
            case 'check':
                Html::answer($this->check());
                break;
            case 'states':
                $ids = array_filter(array_map(array(Input::class, 'number'), array_slice(explode(',', Input::get('ids')), 0, ConditionList::PER_PAGE)));
                Html::answer(ConditionList::states($this->db, $this->owner, array_values($ids)), true);
                break;
            case 'history':
                $rows = $this->conditions->history(Input::number(Input::get('id')));
                foreach ($rows as $n => $row) {
                    $rows[$n]['action'] = isset(Words::ACTION[$row['action']]) ? Words::ACTION[$row['action']] : $row['action'];
                    $rows[$n]['row'] = json_decode($row['row_json'], true);
                    unset($rows[$n]['row_json']);
                }
                Html::answer($rows);
        }
    }

    private function add(): int
    {
        $typed = Input::condition(Validate::FIELDS);
        $context = Machine::context($this->db, trim($typed['symbol'], " \t"));
        $made = Validate::row($typed, $context);
        return $this->conditions->add($made, $this->exits($made), $context);
    }

    private function edit(int $id, int $rev)
    {
        $typed = Input::condition(Validate::FIELDS);
        $this->conditions->edit($id, $rev, Validate::row($typed, Machine::context($this->db, trim($typed['symbol'], " \t"))));
    }

    /** Prices of the exit pair that were written. @return array<string,string> */
    private function exits(array $made): array
    {
        $exits = array_filter(array('profit' => trim(Input::post('exit_profit')), 'stop' => trim(Input::post('exit_stop'))), 'strlen');
        if ($exits && $made['side'] !== 'BUY') {
            throw new BadCondition('exit_profit', '', 'exit_of_sell', '익절·손절은 매수 조건에 답니다');
        }
        foreach ($exits as $what => $price) {
            if (!preg_match('/^[0-9]{1,9}$/D', $price) || !PriceStep::fits((int) $price)) {
                throw new BadCondition('exit_' . $what, $price, 'price_step', '호가단위에 맞는 가격을 적습니다');
            }
            if (($what === 'profit') !== ((int) $price > $made['strike_price'])) {
                throw new BadCondition('exit_' . $what, $price, 'exit_side', $what === 'profit' ? '익절은 타격 가격보다 높아야 합니다' : '손절은 타격 가격보다 낮아야 합니다');
            }
        }
        return $exits;
    }

    /** Arming judges the stored row once more, by what is known now. */
    private function arm(int $id, int $rev): string
    {
        $row = $this->conditions->find($id);
        if ($row === null) {
            throw new Refusal('그런 조건이 없습니다.');
        }
        if (Conf::options()['password_on_arm'] && !Rights::password(Input::post('password'))) {
            throw new Refusal('비밀번호가 맞지 않아 장전하지 않았습니다.');
        }
        try {
            $made = Validate::row(array_map(static function ($value) {
                return $value === null ? null : (string) preg_replace('/\.0+$/', '', (string) $value);
            }, array_intersect_key($row, array_flip(Validate::FIELDS))), Machine::context($this->db, $row['symbol']));
        } catch (BadCondition $bad) {
            throw new Refusal('장전하지 않았습니다. ' . Fields::label($bad->field) . ': ' . $bad->getMessage());
        }
        $quote = Machine::quote($this->db, $row['symbol']);
        if (Validate::firesAt($made, $quote['price']) && Input::post('fires_now') !== '1') {
            throw new Refusal('장전하지 않았습니다. 현재가 ' . Html::won($quote['price']) . '원이라 지금 발동됩니다. 목록에서 확인하고 장전하십시오.');
        }
        $count = $this->conditions->arm($id, $rev);
        return $count > 1 ? "조건 #$id 와(과) 청산 조건 " . ($count - 1) . '개를 장전했습니다.' : "조건 #$id 을(를) 장전했습니다.";
    }

    /** The verdict on what is being typed, for the line under the form. */
    private function check(): array
    {
        $typed = Input::condition(Validate::FIELDS);
        $symbol = trim($typed['symbol'], " \t");
        try {
            $made = Validate::row($typed, Machine::context($this->db, $symbol));
        } catch (BadCondition $bad) {
            return array('ok' => false, 'field' => $bad->field, 'why' => Fields::label($bad->field) . ': ' . $bad->getMessage());
        }
        $price = Machine::quote($this->db, $symbol)['price'];
        $each = Validate::orderPrice($made, $made['strike_price']);
        $shares = Validate::orderQuantity($made, $made['strike_price']);
        return array('ok' => true, 'now' => Validate::firesAt($made, $price), 'shares' => $shares, 'cost' => $shares * ($each ? $each : $made['strike_price']));
    }
}
