<?php
namespace Stockd\Site;

/** A request that is not carried out (right, token, stale revision …); the message is for people. */
class Refusal extends \Exception
{
}
