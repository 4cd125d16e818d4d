<?php
// Reads file names, prints the names they take from the core: functions and constants that neither PHP nor
// the plugin defines, globals, hooks.
$own = $used = $constants = $globals = $hooks = array();
$files = array_filter(explode("\n", stream_get_contents(STDIN)));
$skip = array(T_WHITESPACE, T_COMMENT, T_DOC_COMMENT);
foreach ($files as $file) {
    $tokens = array_values(array_filter(token_get_all(file_get_contents($file)), static function ($t) use ($skip) {
        return !is_array($t) || !in_array($t[0], $skip, true);
    }));
    $scope = false;
    foreach ($tokens as $n => $token) {
        $before = $tokens[$n - 1] ?? null;
        $after = $tokens[$n + 1] ?? null;
        $kind = is_array($before) ? $before[0] : $before;
        if ($token === ';') {
            $scope = false;
        }
        if (!is_array($token)) {
            continue;
        }
        if ($token[0] === T_GLOBAL) {
            $scope = true;
        } elseif ($scope && $token[0] === T_VARIABLE) {
            $globals[substr($token[1], 1)] = true;
        } elseif ($token[0] === T_STRING && $after === '(' && !in_array($kind, array(T_OBJECT_OPERATOR, T_DOUBLE_COLON, T_NEW, T_FUNCTION), true)) {
            $used[$token[1]] = true;
            if (in_array($token[1], array('add_event', 'add_replace'), true)) {
                $hooks[preg_replace('/stockd_$/', '', trim($tokens[$n + 2][1], "'"))] = true;
            }
        } elseif ($token[0] === T_STRING && preg_match('/^G5_[A-Z0-9_]+$/', $token[1])) {
            $constants[$token[1]] = true;
        } elseif ($token[0] === T_CONSTANT_ENCAPSED_STRING && preg_match('/^\'(_GNUBOARD_|G5_[A-Z0-9_]+)\'$/', $token[1], $m)) {
            $constants[$m[1]] = true;
        }
    }
}
$functions = array_filter(array_keys($used), static function ($name) {
    return !function_exists($name);
});
$sorted = static function (array $names) {
    sort($names);
    return array_values($names);
};
echo json_encode(array('functions' => $sorted($functions), 'constants' => $sorted(array_keys($constants)), 'globals' => $sorted(array_keys($globals)), 'hooks' => $sorted(array_keys($hooks))));
