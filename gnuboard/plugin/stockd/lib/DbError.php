<?php
namespace Stockd\Site;

/** MariaDB is not there or refused a statement. The message is for the log, not for the page. */
final class DbError extends \Exception
{
}
