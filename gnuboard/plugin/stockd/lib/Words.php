<?php
namespace Stockd\Site;

/** Korean for the machine's codes. An unknown code is shown as it is. */
final class Words
{
    const SIDE = array('BUY' => '매수', 'SELL' => '매도');
    const OP = array('LE' => '이하', 'GE' => '이상');
    const STRIKE = array(
        'CLAIMED' => '대기', 'SENDING' => '전송 중', 'ACCEPTED' => '접수', 'REJECTED' => '거부', 'UNKNOWN' => '결과 불명',
        'PART_FILLED' => '일부 체결', 'FILLED' => '체결', 'CANCELLED' => '취소', 'EXPIRED' => '만료', 'DENIED' => '차단',
        'NOT_SENT' => '미전송',
    );
    const CONDITION = array('OFF' => '꺼짐', 'ARMED' => '지켜보는 중', 'WAITING' => '기다림', 'STRUCK' => '발동함', 'BAD' => '잘못된 조건');
    const DAEMON = array('STARTING' => '시작 중', 'RUNNING' => '동작', 'WAITING' => '쉬는 중', 'STOPPED' => '멈춤', 'FAILED' => '고장');
    const ACTION = array('ADD' => '추가', 'EDIT' => '수정', 'ARM' => '장전', 'DISARM' => '해제', 'REMOVE' => '삭제');

    public static function strike(string $code): string
    {
        return isset(self::STRIKE[$code]) ? self::STRIKE[$code] : $code;
    }

    public static function condition(string $code): string
    {
        return isset(self::CONDITION[$code]) ? self::CONDITION[$code] : $code;
    }
}
