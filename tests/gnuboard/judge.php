<?php
// Reads the corpus on standard input, prints the plugin's verdicts as JSON: [verdict, …].
define('_GNUBOARD_', true);
spl_autoload_register(static function ($class) {
    require dirname(__DIR__, 2) . '/gnuboard/plugin/stockd/lib/' . substr($class, 12) . '.php';
});
$verdicts = array();
foreach (json_decode(stream_get_contents(STDIN), true) as $case) {
    try {
        Stockd\Site\Validate::row($case['row'], new Stockd\Site\Context($case['context']));
        $verdicts[] = 'ok';
    } catch (Stockd\Site\BadCondition $bad) {
        $verdicts[] = array('field' => $bad->field, 'code' => $bad->rule);
    }
}
echo json_encode($verdicts);
