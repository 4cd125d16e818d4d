<?php
namespace Stockd\Site;

/** Korean names of the form's fields. */
final class Fields
{
    const LABELS = array(
        'symbol' => '종목', 'side' => '구분', 'trigger_op' => '방향', 'strike_price' => '타격 가격', 'order_kind' => '주문 종류',
        'venue' => '거래소', 'limit_price' => '지정 가격', 'quantity' => '수량', 'amount' => '금액', 'valid_from' => '유효 시작',
        'valid_until' => '유효 끝', 'window_from' => '시간대 시작', 'window_until' => '시간대 끝', 'memo' => '메모',
        'max_age_ms' => '체결 나이 한도', 'day_amount_cap' => '하루 금액 한도', 'day_strike_cap' => '하루 횟수 한도',
        'trail_percent' => '트레일링 %', 'arms_after' => '앞선 조건', 'oco_group' => '묶음 번호',
        'exit_profit' => '익절 가격', 'exit_stop' => '손절 가격',
    );

    public static function label(string $field): string
    {
        return isset(self::LABELS[$field]) ? self::LABELS[$field] : $field;
    }

    /** A stored row as the form shows it. @return array<string,string> */
    public static function typed(array $row): array
    {
        $typed = array();
        foreach (Validate::FIELDS as $field) {
            $value = isset($row[$field]) ? (string) $row[$field] : '';
            if ($field === 'valid_from' || $field === 'valid_until') {
                $value = str_replace(' ', 'T', substr($value, 0, 16));
            } elseif ($field === 'window_from' || $field === 'window_until') {
                $value = substr($value, 0, 5);
            } elseif ($field === 'trail_percent' && $value !== '') {
                $value = rtrim(rtrim($value, '0'), '.');
            }
            $typed[$field] = $value;
        }
        return $typed;
    }
}
