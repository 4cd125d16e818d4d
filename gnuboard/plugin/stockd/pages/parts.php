<?php
namespace Stockd\Site;

if (!defined('_GNUBOARD_')) {
    exit;
}

/** @param array<string,string> $options value => words */
$select = static function (string $name, array $options, string $chosen, string $label) {
    echo '<select name="', $name, '" id="sd_', $name, '" class="sd-input" aria-label="', Html::h($label), '">';
    foreach ($options as $value => $words) {
        echo '<option value="', Html::h($value), '"', (string) $value === $chosen ? ' selected' : '', '>', Html::h($words), '</option>';
    }
    echo '</select>';
};

/** A number or text field of the condition form with its label and, if it is the wrong one, why. */
$field = static function (string $name, string $unit, string $type, string $extra) use ($view) {
    $problem = $view['problem'];
    $wrong = $problem !== null && $problem->field === $name;
    echo '<div class="sd-field', $wrong ? ' sd-wrong' : '', '" data-field="', $name, '"><label for="sd_', $name, '">', Html::h(Fields::label($name)), '</label><span class="sd-unit">';
    echo '<input type="', $type, '" name="', $name, '" id="sd_', $name, '" class="frm_input sd-input" value="', Html::h($view['form'][$name]), '" autocomplete="off" ', $extra,
        $wrong ? ' aria-invalid="true" aria-describedby="sd_problem"' : '', '>';
    echo $unit === '' ? '' : '<i>' . $unit . '</i>', '</span></div>';
};

/** Hidden fields of a small form of one row. */
$hidden = static function (string $act, array $row) use ($view) {
    echo '<input type="hidden" name="act" value="', $act, '"><input type="hidden" name="id" value="', (int) $row['id'], '"><input type="hidden" name="rev" value="', (int) $row['rev'], '">';
    echo Csrf::field($view['member']);
    foreach (array('q' => $view['search'], 'state' => $view['state'], 'sort' => $view['sort'], 'dir' => $view['dir'], 'page' => $view['number'] > 1 ? (string) $view['number'] : '') as $name => $value) {
        if ($value !== '') {
            echo '<input type="hidden" name="back_', $name, '" value="', Html::h($value), '">';
        }
    }
};
