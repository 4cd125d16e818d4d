<?php
namespace Stockd\Site;

/** KRX price step (호가단위) by price band, stocks, since 2023-01-25; the same table as trading/price_step.py. */
final class PriceStep
{
    const BANDS = array(2000 => 1, 5000 => 5, 20000 => 10, 50000 => 50, 200000 => 100, 500000 => 500);
    const TOP = 1000;

    /** Step in KRW at $price. On a band edge the step is that of the price itself. */
    public static function at(int $price): int
    {
        foreach (self::BANDS as $below => $step) {
            if ($price < $below) {
                return $step;
            }
        }
        return self::TOP;
    }

    public static function fits(int $price): bool
    {
        return $price > 0 && $price % self::at($price) === 0;
    }
}
