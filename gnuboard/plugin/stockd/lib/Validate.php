<?php
namespace Stockd\Site;

/**
 * Judges a condition as trading/conditions.py does, in the same order; tests/payloads/conditions.json
 * holds the verdicts both must give. Pure: no Gnuboard name, no database.
 */
final class Validate
{
    const MAX_PRICE = 100000000;
    const MAX_QUANTITY = 1000000;
    const MAX_AMOUNT = 100000000000;
    const MAX_ID = 999999999999999;
    const MEMO_MAX = 200;
    const DEFAULT_AGE_MS = 3000;
    const PRICED = array('LIMIT', 'LIMIT_IOC', 'LIMIT_FOK');
    const KINDS = array(
        'LIMIT' => '지정가', 'MARKET' => '시장가', 'BEST' => '최유리지정가', 'FIRST' => '최우선지정가',
        'LIMIT_IOC' => '지정가 IOC', 'LIMIT_FOK' => '지정가 FOK', 'MARKET_IOC' => '시장가 IOC',
        'MARKET_FOK' => '시장가 FOK', 'BEST_IOC' => '최유리 IOC', 'BEST_FOK' => '최유리 FOK',
    );
    const VENUES = array('KRX', 'NXT', 'SOR');
    /** columns a person sets, in the order of the form */
    const FIELDS = array(
        'symbol', 'side', 'trigger_op', 'strike_price', 'order_kind', 'venue', 'limit_price', 'quantity', 'amount',
        'valid_from', 'valid_until', 'window_from', 'window_until', 'memo', 'max_age_ms', 'day_amount_cap',
        'day_strike_cap', 'trail_percent', 'arms_after', 'oco_group',
    );

    /**
     * The row to be stored (ints, strings, null) that $row (strings as typed) describes.
     *
     * @param array<string,string|null> $row
     * @return array<string,int|string|null>
     * @throws BadCondition naming the first wrong field
     */
    public static function row(array $row, Context $context): array
    {
        $made = array('symbol' => self::symbol($row, $context));
        $made['side'] = self::choice($row, 'side', array('BUY', 'SELL'), '');
        if ($made['side'] === 'BUY' && (string) $context->no_buy !== '') {
            throw new BadCondition('symbol', $made['symbol'], 'no_buy', $context->no_buy . ' 종목은 사지 않습니다');
        }
        $made['trigger_op'] = self::choice($row, 'trigger_op', array('LE', 'GE'), $made['side'] === 'BUY' ? 'LE' : 'GE');
        $made['strike_price'] = self::price($row, 'strike_price', $context);
        if ($made['strike_price'] === null) {
            throw new BadCondition('strike_price', '', 'required', '타격 가격을 적습니다');
        }
        $made += self::kindAndVenue($row, $context);
        $made['limit_price'] = self::price($row, 'limit_price', $context);
        if ($made['limit_price'] !== null && !in_array($made['order_kind'], self::PRICED, true)) {
            throw new BadCondition('limit_price', (string) $made['limit_price'], 'price_without_limit', '이 주문 종류는 가격이 없습니다');
        }
        $made += self::size($row) + self::times($row, $context) + self::window($row);
        $made['memo'] = self::text($row, 'memo');
        $age = self::number($row, 'max_age_ms', 100, 60000);
        $made['max_age_ms'] = $age === null ? self::DEFAULT_AGE_MS : $age;
        $made['day_amount_cap'] = self::number($row, 'day_amount_cap', 1, self::MAX_AMOUNT);
        $made['day_strike_cap'] = self::number($row, 'day_strike_cap', 1, 10000);
        $made['trail_percent'] = self::percent($row);
        $made['arms_after'] = self::number($row, 'arms_after', 1, self::MAX_ID);
        $made['oco_group'] = self::number($row, 'oco_group', 1, self::MAX_ID);
        self::memo($made['memo']);
        self::means($made, $context);
        return $made;
    }

    /** ORD_UNPR: 0 for kinds without a price; a trailing stop without a limit goes at the firing price. */
    public static function orderPrice(array $made, int $at_price): int
    {
        if (!in_array($made['order_kind'], self::PRICED, true)) {
            return 0;
        }
        if ($made['limit_price'] !== null) {
            return (int) $made['limit_price'];
        }
        return $made['trail_percent'] !== null ? $at_price : (int) $made['strike_price'];
    }

    /** Shares: as set, or what the amount buys. */
    public static function orderQuantity(array $made, int $at_price): int
    {
        if ($made['quantity'] !== null) {
            return (int) $made['quantity'];
        }
        $each = self::orderPrice($made, $at_price);
        return intdiv((int) $made['amount'], $each ? $each : $at_price);
    }

    /** Whether the trigger holds at $price (KRW), so that arming would strike at once. */
    public static function firesAt(array $made, int $price): bool
    {
        if ($price <= 0 || $made['trail_percent'] !== null || $made['arms_after'] !== null) {
            return false;
        }
        return $made['trigger_op'] === 'LE' ? $price <= $made['strike_price'] : $price >= $made['strike_price'];
    }

    private static function text(array $row, string $field): string
    {
        return trim(isset($row[$field]) ? (string) $row[$field] : '', " \t");
    }

    /** @return int|null */
    private static function number(array $row, string $field, int $low, int $high)
    {
        $text = self::text($row, $field);
        if ($text === '') {
            return null;
        }
        if (!preg_match('/^[0-9]{1,15}$/D', $text)) {
            throw new BadCondition($field, $text, 'not_a_number', '숫자만 적습니다 (쉼표·부호·소수점 없이)');
        }
        $number = (int) $text;
        if ($number < $low || $number > $high) {
            throw new BadCondition($field, $text, 'out_of_range', number_format($low) . ' 이상 ' . number_format($high) . ' 이하여야 합니다');
        }
        return $number;
    }

    private static function choice(array $row, string $field, array $allowed, string $default): string
    {
        $text = self::text($row, $field);
        $text = $text === '' ? $default : $text;
        if ($text === '') {
            throw new BadCondition($field, '', 'required', '꼭 골라야 합니다');
        }
        if (!in_array($text, $allowed, true)) {
            throw new BadCondition($field, $text, 'bad_choice', implode(', ', $allowed) . ' 중 하나여야 합니다');
        }
        return $text;
    }

    /** @return string|null "2026-11-23 09:00:00" */
    private static function moment(array $row, string $field)
    {
        $text = str_replace('T', ' ', self::text($row, $field));
        if ($text === '') {
            return null;
        }
        $shape = '/^(\d{4})-(\d{1,2})-(\d{1,2})\s+(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$/D';
        if (preg_match($shape, $text, $m) && (int) $m[1] > 0 && checkdate((int) $m[2], (int) $m[3], (int) $m[1])) {
            $clock = self::hms($m[4], $m[5], isset($m[6]) ? $m[6] : '0');
            if ($clock !== null) {
                return sprintf('%04d-%02d-%02d %s', $m[1], $m[2], $m[3], $clock);
            }
        }
        throw new BadCondition($field, $text, 'bad_time', '2026-11-23 09:00 처럼 적습니다');
    }

    /** @return string|null "09:30:00" */
    private static function clock(array $row, string $field)
    {
        $text = self::text($row, $field);
        if ($text === '') {
            return null;
        }
        if (preg_match('/^(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$/D', $text, $m)) {
            $clock = self::hms($m[1], $m[2], isset($m[3]) ? $m[3] : '0');
            if ($clock !== null) {
                return $clock;
            }
        }
        throw new BadCondition($field, $text, 'bad_time', '09:30 처럼 적습니다');
    }

    /** @return string|null */
    private static function hms(string $hour, string $minute, string $second)
    {
        if ((int) $hour > 23 || (int) $minute > 59 || (int) $second > 59) {
            return null;
        }
        return sprintf('%02d:%02d:%02d', $hour, $minute, $second);
    }

    /** @return int|null */
    private static function price(array $row, string $field, Context $context)
    {
        $price = self::number($row, $field, 1, self::MAX_PRICE);
        if ($price === null) {
            return null;
        }
        if (!PriceStep::fits($price)) {
            throw new BadCondition($field, (string) $price, 'price_step', '호가단위 ' . number_format(PriceStep::at($price)) . '원에 맞지 않습니다');
        }
        if ($context->upper_limit !== null && $price > $context->upper_limit) {
            throw new BadCondition($field, (string) $price, 'above_upper_limit', '상한가 ' . number_format($context->upper_limit) . '원보다 높습니다');
        }
        if ($context->lower_limit !== null && $price < $context->lower_limit) {
            throw new BadCondition($field, (string) $price, 'below_lower_limit', '하한가 ' . number_format($context->lower_limit) . '원보다 낮습니다');
        }
        return $price;
    }

    /** @return string|null decimal text as typed, at most three places */
    private static function percent(array $row)
    {
        $text = self::text($row, 'trail_percent');
        if ($text === '') {
            return null;
        }
        if (!preg_match('/^([0-9]{1,2})(?:\.([0-9]{1,3}))?$/D', $text, $m)) {
            throw new BadCondition('trail_percent', $text, 'not_a_number', '2.5 처럼 적습니다');
        }
        $thousandths = (int) $m[1] * 1000 + (int) str_pad(isset($m[2]) ? $m[2] : '', 3, '0');
        if ($thousandths < 100 || $thousandths > 30000) {
            throw new BadCondition('trail_percent', $text, 'out_of_range', '0.1 이상 30 이하여야 합니다');
        }
        return $text;
    }

    private static function symbol(array $row, Context $context): string
    {
        $symbol = self::text($row, 'symbol');
        if ($symbol === '') {
            throw new BadCondition('symbol', '', 'required', '종목코드를 적습니다');
        }
        if (!preg_match('/^[A-Z0-9]{6,9}$/D', $symbol)) {
            throw new BadCondition('symbol', $symbol, 'bad_symbol', '종목코드는 대문자·숫자 6~9자입니다');
        }
        if ($context->listed === false) {
            throw new BadCondition('symbol', $symbol, 'unlisted', '상장 종목이 아닙니다');
        }
        if ($context->halted) {
            throw new BadCondition('symbol', $symbol, 'halted', '거래정지 종목입니다');
        }
        return $symbol;
    }

    private static function kindAndVenue(array $row, Context $context): array
    {
        $kind = self::choice($row, 'order_kind', array_keys(self::KINDS), 'LIMIT');
        $venue = self::choice($row, 'venue', self::VENUES, 'KRX');
        if ($context->mock && $venue !== 'KRX') {
            throw new BadCondition('venue', $venue, 'mock_venue', '모의투자는 KRX만 됩니다');
        }
        if ($venue === 'NXT' && $kind === 'MARKET') { // NXT has no plain market order (ORD_DVSN 01)
            throw new BadCondition('order_kind', $kind, 'venue_kind', $venue . '에 없는 주문 종류입니다');
        }
        return array('order_kind' => $kind, 'venue' => $venue);
    }

    private static function size(array $row): array
    {
        $quantity = self::number($row, 'quantity', 1, self::MAX_QUANTITY);
        $amount = self::number($row, 'amount', 1, self::MAX_AMOUNT);
        if ($quantity === null && $amount === null) {
            throw new BadCondition('quantity', '', 'no_size', '수량과 금액 중 하나를 적습니다');
        }
        if ($quantity !== null && $amount !== null) {
            throw new BadCondition('amount', (string) $amount, 'both_sizes', '수량과 금액 중 하나만 적습니다');
        }
        return array('quantity' => $quantity, 'amount' => $amount);
    }

    private static function times(array $row, Context $context): array
    {
        $start = self::moment($row, 'valid_from');
        $end = self::moment($row, 'valid_until');
        if ($end !== null && $end <= $context->now) { // both "YYYY-MM-DD HH:MM:SS", so text compares as time
            throw new BadCondition('valid_until', $end, 'past', '이미 지난 시각입니다');
        }
        if ($start !== null && $end !== null && $end <= $start) {
            throw new BadCondition('valid_until', $end, 'times_reversed', '끝이 시작보다 빠릅니다');
        }
        return array('valid_from' => $start, 'valid_until' => $end);
    }

    private static function window(array $row): array
    {
        $start = self::clock($row, 'window_from');
        $end = self::clock($row, 'window_until');
        if ($start !== null && $end !== null && $end <= $start) {
            throw new BadCondition('window_until', $end, 'times_reversed', '끝이 시작보다 빠릅니다');
        }
        return array('window_from' => $start, 'window_until' => $end);
    }

    private static function memo(string $memo)
    {
        if (!preg_match('//u', $memo)) {
            throw new BadCondition('memo', '', 'bad_characters', '읽을 수 없는 글자가 있습니다');
        }
        if (preg_match('/^.{' . (self::MEMO_MAX + 1) . '}/us', $memo)) {
            throw new BadCondition('memo', '', 'too_long', self::MEMO_MAX . '자까지 적습니다');
        }
        if (preg_match('/[\x00-\x1f]/', $memo)) {
            throw new BadCondition('memo', '', 'bad_characters', '제어 문자는 쓸 수 없습니다');
        }
    }

    /** Cash and shares, as far as they are known now; the machine checks again before the order goes out. */
    private static function means(array $made, Context $context)
    {
        $field = $made['quantity'] === null ? 'amount' : 'quantity';
        $shares = self::orderQuantity($made, $made['strike_price']);
        if ($shares === 0) {
            throw new BadCondition($field, (string) $made['amount'], 'amount_too_small', '한 주도 살 수 없는 금액입니다');
        }
        if ($shares > self::MAX_QUANTITY) {
            throw new BadCondition($field, (string) $made['amount'], 'out_of_range', '수량이 100만 주를 넘습니다');
        }
        if ($made['side'] === 'BUY' && $context->cash !== null) {
            $each = self::orderPrice($made, $made['strike_price']);
            $cost = $shares * ($each ? $each : $made['strike_price']);
            if ($cost > $context->cash) {
                throw new BadCondition($field, (string) $cost, 'cash', '주문가능금액이 모자랍니다');
            }
        }
        // with arms_after the shares are still to be bought
        if ($made['side'] === 'SELL' && $made['arms_after'] === null && $context->sellable !== null && $shares > $context->sellable) {
            throw new BadCondition($field, (string) $shares, 'sellable', '주문가능수량이 모자랍니다');
        }
    }
}
