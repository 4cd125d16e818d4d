<?php
// Reads file names, prints what in them needs a PHP newer than 7.4: [[file, line, what], …].
$new = array('T_MATCH', 'T_NULLSAFE_OBJECT_OPERATOR', 'T_ENUM', 'T_READONLY', 'T_ATTRIBUTE', 'T_AMPERSAND_FOLLOWED_BY_VAR_OR_VARARG_');
$functions = array('str_contains', 'str_starts_with', 'str_ends_with', 'get_debug_type', 'array_is_list', 'array_find', 'array_any', 'json_validate', 'mb_trim', 'mysqli_execute_query');
$found = array();
foreach (array_filter(explode("\n", stream_get_contents(STDIN))) as $file) {
    $tokens = array_values(array_filter(token_get_all(file_get_contents($file)), static function ($t) {
        return !is_array($t) || !in_array($t[0], array(T_WHITESPACE, T_COMMENT, T_DOC_COMMENT), true);
    }));
    foreach ($tokens as $n => $token) {
        if (!is_array($token)) {
            continue;
        }
        $next = $tokens[$n + 1] ?? null;
        if (in_array(token_name($token[0]), $new, true) || ($token[0] === T_STRING && in_array($token[1], $functions, true))) {
            $found[] = array($file, $token[2], $token[1]);
        }
        // union and mixed types, named arguments, constructor promotion, throw as an expression
        if ($token[0] === T_STRING && $next === ':' && in_array($tokens[$n - 1] ?? null, array('(', ','), true) && is_array($tokens[$n + 2] ?? null) && ($tokens[$n + 2][0] ?? null) !== T_STRING) {
            $found[] = array($file, $token[2], 'named argument ' . $token[1]);
        }
        if ($token[0] === T_FUNCTION && ($tokens[$n + 1][1] ?? '') === '__construct' && in_array($tokens[$n + 3][0] ?? null, array(T_PUBLIC, T_PRIVATE, T_PROTECTED), true)) {
            $found[] = array($file, $token[2], 'constructor promotion');
        }
        if ($token[0] === T_THROW && in_array($tokens[$n - 1][1] ?? ($tokens[$n - 1] ?? ''), array('??', ':', '?', '=>', '='), true)) {
            $found[] = array($file, $token[2], 'throw expression');
        }
        if ($token[0] === T_VARIABLE && ($tokens[$n - 1] ?? null) !== null && is_array($tokens[$n - 1]) && $tokens[$n - 1][0] === T_STRING && in_array($tokens[$n - 2] ?? null, array('|'), true)) {
            $found[] = array($file, $token[2], 'union type');
        }
    }
}
echo json_encode($found);
