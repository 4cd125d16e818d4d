<?php
namespace Stockd\Site;

/** The three tables of sql/condition.sql: are they there, and made where the site's own user may. */
final class Schema
{
    const TABLES = array('condition', 'condition_log', 'halt');

    /** @return string[] what is missing, as "table" or "table.column" */
    public static function missing(Db $db): array
    {
        $missing = array();
        foreach (self::columns() as $table => $columns) {
            try {
                $there = array_column($db->rows('SHOW COLUMNS FROM ' . $db->table($table)), 'Field');
            } catch (DbError $error) {
                $missing[] = $table;
                continue;
            }
            foreach (array_diff($columns, $there) as $column) {
                $missing[] = $table . '.' . $column;
            }
        }
        return $missing;
    }

    /** Runs the DDL on $link (the core's connection: `stockd_site` may not create). @throws DbError */
    public static function create(\mysqli $link, string $database, string $prefix)
    {
        $sql = preg_replace('/^--.*$/m', '', str_replace('`{P}', '`' . $prefix, self::ddl()));
        foreach (explode(";\n", $sql) as $statement) {
            $statement = rtrim(trim($statement), ';');
            if ($statement === '') {
                continue;
            }
            $statement = preg_replace('/^CREATE TABLE IF NOT EXISTS `/', 'CREATE TABLE IF NOT EXISTS `' . $database . '`.`', $statement);
            try {
                $done = $link->query($statement);
            } catch (\mysqli_sql_exception $error) {
                $done = false;
            }
            if ($done === false) {
                throw new DbError($link->error);
            }
        }
    }

    /** Filter of 관리자 > DB업그레이드: true when something was made. @param mixed $changed */
    public static function upgrade($changed)
    {
        global $g5;
        $conf = Conf::database();
        if ($conf === null || !isset($g5['connect_db']) || !$g5['connect_db'] instanceof \mysqli) {
            return $changed;
        }
        try {
            if (!self::missing(Db::shared())) {
                return $changed;
            }
            self::create($g5['connect_db'], $conf['database'], $conf['prefix']);
            return true;
        } catch (DbError $error) {
            error_log('stockd plugin: ' . $error->getMessage());
            return $changed;
        }
    }

    /** @return array<string,string[]> table => columns of the DDL */
    private static function columns(): array
    {
        $columns = array();
        preg_match_all('/CREATE TABLE IF NOT EXISTS `\{P\}stockd_(\w+)` \((.*?)\n\)/s', self::ddl(), $tables, PREG_SET_ORDER);
        foreach ($tables as $table) {
            preg_match_all('/^  ([a-z_]+)\s/m', $table[2], $names);
            $columns[$table[1]] = $names[1];
        }
        return $columns;
    }

    private static function ddl(): string
    {
        return (string) file_get_contents(STOCKD_PLUGIN . '/sql/condition.sql');
    }
}
