<?php
namespace Stockd\Site;

/** What is known when a condition is judged; null means "not known, do not judge by it". */
final class Context
{
    /** @var string "2026-11-23 10:00:00", KST */
    public $now;
    /** @var bool|null */
    public $listed;
    /** @var bool|null */
    public $halted;
    /** @var string|null designations for which the owner does not buy the stock; '': none */
    public $no_buy;
    /** @var int|null 상한가 */
    public $upper_limit;
    /** @var int|null 하한가 */
    public $lower_limit;
    /** @var int|null 주문가능현금, KRW */
    public $cash;
    /** @var int|null 주문가능수량 */
    public $sellable;
    /** @var bool 모의투자: KRX only */
    public $mock = false;

    /** @param array<string,mixed> $known */
    public function __construct(array $known)
    {
        foreach ($known as $name => $value) {
            if (!property_exists($this, $name)) {
                throw new \InvalidArgumentException("unknown context $name");
            }
            $this->$name = $value;
        }
    }
}
