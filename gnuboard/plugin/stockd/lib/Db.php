<?php
namespace Stockd\Site;

/**
 * The plugin's own connection as `stockd_site`, opened on first use: strict, utf8mb4, KST, every value
 * bound to a prepared statement. The core's connection runs with an empty sql_mode and would store "1,250" as 1.
 */
final class Db
{
    /** @var \mysqli */
    private $link;
    /** @var string prefix with database, quoted: `site`.`g5_ */
    private $site;
    /** @var string */
    private $machine;
    /** @var self|null */
    private static $shared;

    private function __construct(array $conf)
    {
        $link = mysqli_init();
        $link->options(MYSQLI_OPT_CONNECT_TIMEOUT, 3);
        $link->options(MYSQLI_OPT_INT_AND_FLOAT_NATIVE, 1); // numbers as numbers, as prepared statements give them
        try {
            $there = @$link->real_connect(
                $conf['socket'] !== '' ? 'localhost' : $conf['host'],
                $conf['user'],
                $conf['password'],
                $conf['database'],
                (int) $conf['port'],
                $conf['socket'] !== '' ? $conf['socket'] : null
            );
        } catch (\mysqli_sql_exception $error) {
            $there = false;
        }
        if (!$there) {
            throw new DbError('connect as ' . $conf['user'] . ': ' . mysqli_connect_error());
        }
        $this->link = $link;
        $this->site = '`' . $conf['database'] . '`.`' . $conf['prefix'];
        $this->machine = '`' . $conf['machine'] . '`.`';
        if (!$link->set_charset('utf8mb4')) {
            throw new DbError('charset: ' . $link->error);
        }
        $this->change("SET SESSION sql_mode='STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone='+09:00'");
    }

    /** @throws DbError */
    public static function shared(): self
    {
        if (self::$shared === null) {
            $conf = Conf::database();
            if ($conf === null) {
                throw new DbError('data/stockd.config.php is missing: run `stockd gnuboard install`');
            }
            self::$shared = new self($conf);
        }
        return self::$shared;
    }

    /** A table of ours in the site's database, quoted: condition, condition_log, halt. */
    public function table(string $name): string
    {
        return $this->site . 'stockd_' . $name . '`';
    }

    /** A view of the machine, quoted: v_market … */
    public function view(string $name): string
    {
        return $this->machine . $name . '`';
    }

    /** @return array<int,array<string,mixed>> */
    public function rows(string $sql, array $values = array()): array
    {
        // without a value there is nothing to bind: one trip instead of three, and the live page asks nine
        // times a second for each open tab
        $result = $values ? $this->run($sql, $values)->get_result() : $this->plain($sql);
        if ($result === false) {
            throw new DbError($this->link->error);
        }
        $rows = $result->fetch_all(MYSQLI_ASSOC);
        $result->free();
        return $rows;
    }

    /** @return array<string,mixed>|null */
    public function one(string $sql, array $values = array())
    {
        $rows = $this->rows($sql, $values);
        return $rows ? $rows[0] : null;
    }

    /** Rows changed. */
    public function change(string $sql, array $values = array()): int
    {
        return (int) $this->run($sql, $values)->affected_rows;
    }

    public function newId(): int
    {
        return (int) $this->link->insert_id;
    }

    /** Runs $work in one transaction; anything thrown undoes all of it. @return mixed */
    public function together(callable $work)
    {
        $this->link->begin_transaction();
        try {
            $result = $work();
        } catch (\Throwable $error) {
            $this->link->rollback();
            throw $error;
        }
        if (!$this->link->commit()) {
            throw new DbError('commit: ' . $this->link->error);
        }
        return $result;
    }

    /** @return \mysqli_result|bool */
    private function plain(string $sql)
    {
        try {
            return $this->link->query($sql);
        } catch (\mysqli_sql_exception $error) {
            throw new DbError($error->getMessage());
        }
    }

    private function run(string $sql, array $values): \mysqli_stmt
    {
        try {
            $statement = $this->link->prepare($sql);
            if ($statement === false) {
                throw new DbError($this->link->error);
            }
            if ($values) {
                $types = '';
                foreach ($values as $value) {
                    $types .= is_int($value) ? 'i' : 's';
                }
                $statement->bind_param($types, ...$values);
            }
            if (!$statement->execute()) {
                throw new DbError($statement->error);
            }
            return $statement;
        } catch (\mysqli_sql_exception $error) {
            throw new DbError($error->getMessage());
        }
    }
}
