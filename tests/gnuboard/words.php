<?php
// The page's Korean for the machine's codes, as JSON.
require dirname(__DIR__, 2) . '/gnuboard/plugin/stockd/lib/Words.php';
use Stockd\Site\Words;

echo json_encode(array('states' => Words::STRIKE, 'sides' => Words::SIDE, 'ops' => Words::OP));
