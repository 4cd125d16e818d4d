<?php
namespace Stockd\Site;

/** The rule a condition broke: the field, what was written, the rule's stable name, and why in Korean. */
final class BadCondition extends \Exception
{
    /** @var string */
    public $field;
    /** @var string */
    public $value;
    /** @var string */
    public $rule;

    public function __construct(string $field, string $value, string $rule, string $reason)
    {
        parent::__construct($reason);
        $this->field = $field;
        $this->value = $value;
        $this->rule = $rule;
    }
}
