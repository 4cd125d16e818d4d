"""The report as text for people."""

from __future__ import annotations

from runtime.report.day import Report
from trading.words import SIDES, STATES

KINDS = {
    "STATE": "끝나지 않은 주문", "ORDER": "증권사에 없는 주문", "FILLS": "체결", "HOLDING": "보유",
    "CASH": "예수금", "TURNOVER": "매매대금", "CLOSE": "종가",
}  # fmt: skip


def verdict(report: Report) -> str:
    """The one line that matters."""
    count = len(report.differences)
    return "차이 없음: 원장과 증권사가 같습니다" if not count else f"차이 {count}개: 확인하십시오"


def lines(report: Report) -> list[str]:
    """The whole report, a line each."""
    orders = [one for one in report.orders if one.order_no]
    said = [
        f"{report.day} {report.account} 저녁 대사",
        verdict(report),
        f"타격 {len(report.orders)}, 주문 {len(orders)}, 손으로 낸 주문 {len(report.by_hand)},"
        f" 매수 {report.bought:,}원, 매도 {report.sold:,}원",
    ]
    said += [
        f"  [{KINDS[one.kind]}] {one.what}: {one.ours} ≠ {one.theirs}" for one in report.differences
    ]
    said += [f"  (견주지 못함) {one}" for one in report.compared.left_out]
    for one in report.orders:
        price = f"{one.price:,}원" if one.price else "시장가"
        words = f"  타격 {one.strike_id} {one.symbol} {SIDES[one.side]} {one.quantity:,}주 {price}"
        words += f" {STATES[one.state]}" + (f" {one.filled:,}주" if one.filled else "")
        said.append(words + (f" ({one.reason})" if one.reason else ""))
    return said
